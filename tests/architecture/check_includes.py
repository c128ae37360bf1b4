#!/usr/bin/env python3
"""Checks every include against the module table, so that no arrow turns round unnoticed.

check_includes.py ROOT: prints each wrong include as file:line and exits 1; 0 when there is none.
check_includes.py --self-test: a wrong include is found, a right one is not.
"""
import pathlib
import re
import sys
import tempfile

# The module table of ARCHITECTURE.md. A new arrow is a line there and in DECISIONS.md.
MAY_USE = {
    "base": [],
    "loop": ["base"],
    "net": ["base", "loop"],
    "wire": ["base"],
    "signal": ["base"],
    "store": ["base", "signal"],
    "queue": ["base"],
    "throttle": ["base", "queue"],
    "session": ["base", "net", "wire", "signal", "store", "throttle"],
    "api": ["base", "loop", "queue", "session"],
    "webhooks": ["base", "net", "queue"],
    "board": ["base", "loop"],
    "simulator": ["base", "wire", "signal"],
}
# Of throttle a session may know only what it implements.
ONLY = {("session", "throttle"): {"posthorn/throttle/sender.h"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
USES = re.compile(r"posthorn_module\((\w+)(?:\s+HOT)?(?:\s+USES\s+([a-z ]+?))?(?:\s+LINKS[^)]*)?\s*\)", re.S)


def target_of(include):
    """The module that an include names: posthorn/M/x.h is M's contract, M/x.h its workings."""
    parts = include.split("/")
    if parts[0] == "posthorn":
        return parts[1], True
    return parts[0], False


def problems(root):
    for module, allowed in MAY_USE.items():
        files = [
            path
            for base in (root / "src" / module, root / "include/posthorn" / module)
            for path in sorted(base.rglob("*"))
            if path.suffix in (".h", ".cpp")
        ]
        for path in files:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                other, is_contract = target_of(found.group(1))
                if other == module or other not in MAY_USE:
                    continue
                where = f"{path.relative_to(root)}:{number}: "
                if other not in allowed:
                    yield where + f"{module} may not use {other}"
                elif not is_contract:
                    yield where + f"{found.group(1)} is private to {other}"
                elif found.group(1) not in ONLY.get((module, other), {found.group(1)}):
                    yield where + f"{module} may use only {ONLY[(module, other)]} of {other}"
        cmake = root / "src" / module / "CMakeLists.txt"
        if cmake.exists():
            for name, uses in USES.findall(cmake.read_text()):
                for other in uses.split():
                    if name == module and other not in allowed:
                        yield f"{cmake.relative_to(root)}: {module} may not link {other}"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "src/queue").mkdir(parents=True)
        source = root / "src/queue/ring.cpp"
        source.write_text('#include "queue/ring.h"\n#include "posthorn/base/bytes.h"\n')
        assert list(problems(root)) == []
        source.write_text('#include "posthorn/session/session.h"\n#include "base/x.h"\n')
        assert len(list(problems(root))) == 2, list(problems(root))
        (root / "src/queue/CMakeLists.txt").write_text("posthorn_module(queue HOT USES base api LINKS x)")
        assert len(list(problems(root))) == 3, list(problems(root))


if __name__ == "__main__":
    self_test()
    if sys.argv[1] != "--self-test":
        found = list(problems(pathlib.Path(sys.argv[1]).resolve()))
        print("\n".join(found) if found else "every include follows the module table")
        sys.exit(1 if found else 0)

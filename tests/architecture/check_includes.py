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
    "journal": ["base", "store"],
    "queue": ["base"],
    "files": ["base"],
    "throttle": ["base", "queue"],
    "session": ["base", "net", "wire", "signal", "store"],
    "pictures": ["base"],
    "chat": ["base", "files", "pictures", "net", "wire", "signal", "store", "session", "throttle"],
    "api": ["base", "files", "loop", "queue", "session", "chat", "journal"],
    "receipts": ["base", "files"],
    "webhooks": ["base", "net", "queue"],
    "cloud": ["base", "net", "files", "chat", "api"],
    "board": ["base", "loop"],
    "fleet": ["base", "net"],
    "simulator": ["base", "wire", "signal"],
}
# Of throttle chat may know only what it implements, of session the line and what it listens to.
ONLY = {
    ("chat", "throttle"): {"posthorn/throttle/sender.h"},
    ("chat", "session"): {
        "posthorn/session/events.h",
        "posthorn/session/line.h",
        "posthorn/session/listener.h",
    },
}
# The rooms of a module: folders in src/M, and whom of the others each may know. What lies in src/M
# itself builds the parts: it knows every room, and no room knows it.
ROOMS = {
    "chat": {
        "content": [],
        "lane": [],
        "people": ["content", "lane"],
        "receive": ["people", "content", "lane"],
        "send": ["people", "content", "lane", "files"],
        "groups": ["people", "content", "lane", "send"],
        "files": ["people", "content", "lane"],
        "state": ["people", "content", "lane", "send"],
        "history": ["people", "content", "lane", "send"],
    },
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
USES = re.compile(r"posthorn_module\((\w+)(?:\s+HOT)?(?:\s+USES\s+([a-z ]+?))?(?:\s+LINKS[^)]*)?\s*\)", re.S)


def target_of(include):
    """The module that an include names: posthorn/M/x.h is M's contract, M/x.h its workings."""
    parts = include.split("/")
    if parts[0] == "posthorn":
        return parts[1], True
    return parts[0], False


def room_of(parts):
    """The room in src/M/room/x.h, or "" for what lies in src/M itself."""
    return parts[1] if len(parts) == 3 else ""


def room_problem(module, path, include):
    """What is wrong when a file of that module includes a private header of its own; or None."""
    rooms = ROOMS.get(module)
    if rooms is None:
        return None
    own, other = room_of(path.parts), room_of(pathlib.PurePath(include).parts)
    for room in (own, other):
        if room and room not in rooms:
            return f"{module}/{room} is no room of ROOMS"
    if own in ("", other):
        return None
    if other == "":
        return f"the room {own} may not know {include}, which builds the rooms"
    return None if other in rooms[own] else f"the room {own} may not know the room {other}"


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
                if other == module and not is_contract and path.is_relative_to(root / "src"):
                    wrong = room_problem(module, path.relative_to(root / "src"), found.group(1))
                    if wrong:
                        yield f"{path.relative_to(root)}:{number}: {wrong}"
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
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for room in ("people", "send", "attic"):
            (root / "src/chat" / room).mkdir(parents=True)
        (root / "src/chat/chat.cpp").write_text('#include "chat/send/flow.h"\n')
        (root / "src/chat/send/flow.cpp").write_text('#include "chat/people/ids.h"\n')
        (root / "src/chat/people/ids.cpp").write_text('#include "chat/people/ids.h"\n')
        assert list(problems(root)) == [], list(problems(root))
        (root / "src/chat/people/ids.cpp").write_text(
            '#include "chat/send/flow.h"\n#include "chat/engine.h"\n'
        )
        (root / "src/chat/attic/box.cpp").write_text('#include "chat/people/ids.h"\n')
        assert len(list(problems(root))) == 3, list(problems(root))


if __name__ == "__main__":
    self_test()
    if sys.argv[1] != "--self-test":
        found = list(problems(pathlib.Path(sys.argv[1]).resolve()))
        print("\n".join(found) if found else "every include follows the module table")
        sys.exit(1 if found else 0)

#!/usr/bin/env python3
"""Calls that throw, or that touch what may have gone, where nobody catches: each has a way that does not.

check_calls.py ROOT: prints each as file:line with what to use instead and exits 1; 0 when there is none.
check_calls.py --self-test: a wrong call is found, a right one is not.
"""
import pathlib
import re
import sys
import tempfile

RULES = [
    (re.compile(r"\b(?:recursive_)?directory_iterator\b"), {"src/base/folder.cpp"},
     "its ++ throws when files vanish: list_folder() or list_tree() of base/folder.h"),
    (re.compile(r"\bstd::sto(?:i|l|ll|ul|ull|f|d|ld)\("), set(), "throws on what is no number: std::from_chars"),
    (re.compile(r"\bfs::(?:absolute|canonical|relative|weakly_canonical|copy|copy_file|create_directories|file_size|"
                r"is_regular_file|exists|remove|remove_all|rename|space|status)\([^,()]*\)"), set(),
     "throws without a std::error_code as last argument"),
    (re.compile(r"\.(?:as(?:Int|UInt|Int64|UInt64|Double|Float|Bool|String|CString))\("),
     {"src/base/json.cpp"}, "throws on another type: base/json.h"),
    (re.compile(r"\bthrow\s"), set(), "errors are values: Result<T>"),
    (re.compile(r"run_on<[^;]*?\[this[,\]]"), set(),
     "what comes back from a thread may find nobody: Alive::weak() or bind() of base/alive.h"),
]
# Beside the daemon: they end when they fail, or only tests run them.
NOT_LOOKED_AT = ("src/simulator/", "firmware/simulator/", "firmware/ctl/", "firmware/setup/", "firmware/slots/", "firmware/system/")


def problems(root):
    for base in ("src", "include", "firmware"):
        for path in sorted((root / base).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in (".h", ".cpp") or name.startswith(NOT_LOOKED_AT):
                continue
            code = re.sub(r"//[^\n]*", "", path.read_text())
            for pattern, allowed, instead in RULES:
                if name in allowed:
                    continue
                for found in pattern.finditer(code):
                    line = code.count("\n", 0, found.start()) + 1
                    yield f"{name}:{line}: {found.group(0)[:60].strip()}: {instead}"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "src/queue").mkdir(parents=True)
        source = root / "src/queue/ring.cpp"
        source.write_text("// fs::exists(path) is not called\nfs::exists(path, error);\nlist_folder(path, error);\n")
        assert list(problems(root)) == []
        for wrong in ("fs::exists(path);", "for (auto& e : fs::directory_iterator(path, error)) {}", "std::stoi(text);",
                      "value.asInt();", "throw 1;", "run_on<int>(worker, [] {}, [this, x](int) {});"):
            source.write_text(wrong + "\n")
            assert len(list(problems(root))) == 1, wrong


def main():
    if sys.argv[1] == "--self-test":
        return self_test()
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "no call throws where nobody catches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

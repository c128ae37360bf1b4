"""Stages of the image build, each done again only when something that went into it has changed."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = ROOT / "image"
BUILD = ROOT / "build" / "image"

# The number that a flashed disk has in its MBR until its first start, which makes a new one.
SIGNATURE = "706f7374"


class BuildError(Exception):
    """Ends the build; the text is for the person who started it."""


def say(text):
    print(f"image: {text}", flush=True)


def run(*command, cwd=None, env=None, log=None, capture=False):
    """Runs a command, shows its output only when it fails (all of it when `log` names a file)."""
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE if capture else subprocess.STDOUT)
    if log:
        pathlib.Path(log).write_bytes(done.stdout)
    if done.returncode != 0:
        output = done.stdout + (done.stderr or b"")
        tail = output.decode(errors="replace").splitlines()[-40:]
        raise BuildError("\n".join([f"failed with {done.returncode}: {' '.join(command)[:300]}", *tail]))
    return done.stdout.decode(errors="replace")


def packages(group):
    """The Debian packages of one group of toolchains/packages.txt."""
    lines = (ROOT / "toolchains" / "packages.txt").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith(group + " ")]


def epoch():
    """The time that stands in everything we make: the commit's, so that the same source gives the same bytes."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    return int(run("git", "-C", ROOT, "log", "-1", "--format=%ct").strip())


def files_below(path):
    path = pathlib.Path(path)
    if not path.is_dir() or path.is_symlink():
        return [path]
    return sorted(p for p in path.rglob("*") if (p.is_file() or p.is_symlink()) and "__pycache__" not in p.parts)


def digest(inputs):
    """One hash of strings and of files or folders (names, modes and contents)."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            total.update(b"text " + item.encode() + b"\0")
            continue
        for file in files_below(item):
            name = str(file.relative_to(item) if file != item else file.name)
            total.update(f"file {name} {file.lstat().st_mode:o}\0".encode())
            total.update(os.readlink(file).encode() if file.is_symlink() else
                         hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


class Stage:
    """One folder below build/image. `made_from` is the hash that the stages after it take as their input."""

    def __init__(self, name, inputs, make):
        self.name = name
        self.folder = BUILD / name
        code = sys.modules[make.__module__].__file__
        self.made_from = digest([name, pathlib.Path(code), *inputs])
        self.make = make

    def done(self):
        """Makes the stage unless it is there already; a stage cut short leaves nothing that counts."""
        stamp = self.folder / ".made-from"
        if stamp.exists() and stamp.read_text() == self.made_from:
            return self
        started = time.monotonic()
        fresh = BUILD / (self.name + ".new")
        remove(fresh)
        fresh.mkdir(parents=True)
        self.make(fresh)
        (fresh / ".made-from").write_text(self.made_from)
        remove(self.folder)
        fresh.rename(self.folder)
        seconds = time.monotonic() - started
        say(f"{self.name}: {seconds:.0f} s, {megabytes(self.folder)} MB")
        with open(BUILD / "times.txt", "a", encoding="utf-8") as times:
            times.write(f"{self.name} {seconds:.1f}\n")
        return self


def remove(folder):
    if folder.exists():
        shutil.rmtree(folder)


def megabytes(path):
    """What a file or folder occupies on this disk, without its holes."""
    return sum(file.lstat().st_blocks for file in files_below(path)) * 512 // 1_000_000

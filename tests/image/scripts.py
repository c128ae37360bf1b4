"""Runs a shell script of the image on this machine: its fixed paths lie in a folder of the test, programs are stand-ins."""

import pathlib
import shutil
import subprocess
import tempfile

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "image/root/usr/lib/posthorn"


class Sandbox:
    """`paths`: what stands for what in the script's text, "/data" for a folder of the test."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posthorn-scripts-"))
        self.programs = self.folder / "programs"
        self.programs.mkdir()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def stand_in(self, name, text):
        """A program: a shell script. It finds the test's folder in $T."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\nT={self.folder}\n{text}\n")
        path.chmod(0o755)

    def script(self, name, paths):
        text = (SCRIPTS / name).read_text()
        for old, new in paths.items():
            if old not in text:
                raise AssertionError(f"{name} has no {old} any more")
            text = text.replace(old, str(new))
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run(self, path, *arguments, seconds=60):
        done = subprocess.run(["/bin/sh", path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, env={"PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin"})
        return done.returncode, done.stdout

    def said(self, name):
        path = self.folder / name
        return path.read_text() if path.exists() else ""

"""The data partition as a power cut would have left it at any moment, and whether everything that was acknowledged
until then is in it. Needs no mount: e2fsck replays the journal, debugfs copies the files out, the daemon built for
this machine opens them."""

import json
import pathlib
import random
import shutil
import subprocess
import urllib.request

import block_log


class Replay:
    """Rebuilds states of one partition. `before`: the partition when the log began."""

    def __init__(self, before, log, start, length, folder, seed=1):
        self.entries = block_log.read(log)
        self.log = open(log, "rb")
        self.start, self.length = start, length
        self.folder = pathlib.Path(folder)
        self.now = self.folder / "certain.ext4"
        subprocess.run(["cp", "--sparse=always", before, self.now], check=True)
        self.applied = 0
        self.random = random.Random(seed)

    def apply(self, file, entry, only=None):
        if entry.flags & (block_log.DISCARD | block_log.MARK) or not entry.length:
            return
        self.log.seek(entry.at)
        file.seek(entry.offset - self.start)
        file.write(self.log.read(entry.length)[:only])

    def inside(self, entry):
        return self.start <= entry.offset < self.start + self.length

    def state(self, cut, name):
        """The partition when the power went after entry number `cut`: all up to the last flush before it, and of
        the writes since then any subset, whole or torn at a sector. Cuts must be asked for in rising order."""
        entries = self.entries[:cut]
        last = max((i for i, entry in enumerate(entries) if entry.is_flush), default=-1)
        with open(self.now, "r+b") as file:
            while self.applied <= last:
                if self.inside(self.entries[self.applied]):
                    self.apply(file, self.entries[self.applied])
                self.applied += 1
        out = self.folder / name
        subprocess.run(["cp", "--sparse=always", self.now, out], check=True)
        with open(out, "r+b") as file:
            for entry in entries[last + 1:]:
                if not self.inside(entry) or not entry.length:
                    continue
                fate = self.random.choice(("lost", "whole", "torn"))
                if fate != "lost":
                    sectors = entry.length // block_log.SECTOR
                    torn = self.random.randrange(sectors) if fate == "torn" else sectors
                    self.apply(file, entry, torn * block_log.SECTOR)
        return out


class Unreadable(Exception):
    pass


def files_of(partition, folder):
    """The daemon's folder out of a partition, after the repair that the box does itself when it starts."""
    done = subprocess.run(["e2fsck", "-fp", partition], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode > 1:
        raise Unreadable(f"e2fsck -p gives up: {done.stdout.decode()[-500:]}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump /posthorn {folder}", partition], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return folder / "posthorn"


def queued(daemon, data, folder):
    """The ids of the messages that the daemon finds in this folder. It talks to nobody meanwhile."""
    config = folder / "crash.toml"
    config.write_text(f'data_dir = "{data}"\n[whatsapp]\nurl = "ws://127.0.0.1:1/none"\n[api]\nlisten = "127.0.0.1"\n'
                      'port = 0\n[log]\nlevel = "warn"\n')
    process = subprocess.Popen([daemon, "--config", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise Unreadable(f"the daemon does not start: {process.stderr.read()[-1000:]}")
        access = json.loads((data / "access.json").read_text())
        url = (f"{json.loads(line)['url']}/waInstance{access['idInstance']}/showMessagesQueue/"
               f"{access['apiTokenInstance']}")
        with urllib.request.urlopen(url, timeout=20) as answer:
            return {job["messageID"] for job in json.loads(answer.read())}
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

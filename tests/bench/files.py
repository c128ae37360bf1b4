#!/usr/bin/env python3
"""100 MB through HTTP into the file store and back, beside dd with the same sync rule on the same disk.

    tests/bench/files.py BUILD [FOLDER on the disk to measure, default .]

BUILD: e.g. build/release. Prints the rates, their share of dd's, and how far the resident memory of posthornd grew.
The sync rule is the store's: every 4 MiB, so dd writes with oflag=dsync bs=4M. The disk's own rate comes and goes, so dd runs right
before each upload and the medians of five rounds are compared. Fails when the way in is slower than 0.8 of dd or takes 1 MiB of memory.
A machine that does other work at the same time measures that work: on such a one, under `chrt -r 5`.
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

MIB = 1 << 20
SIZE = 100 * MIB


def resident(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """The highest resident memory while something runs."""

    def __init__(self, pid):
        self.pid, self.before, self.peak, self.on = pid, resident(pid), 0, True
        self.cpu = cpu_seconds(pid)
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while self.on:
            self.peak = max(self.peak, resident(self.pid))
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.on = False
        self.thread.join()
        self.cpu = cpu_seconds(self.pid) - self.cpu

    def grown(self):
        return (self.peak - self.before) / MIB


def timed(*command):
    began = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return SIZE / MIB / (time.monotonic() - began), done.stdout


def main():
    build = pathlib.Path(sys.argv[1])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="files-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else "."))
    source = folder / "source"
    with open(source, "wb") as out:
        for _ in range(SIZE // MIB):
            out.write(os.urandom(MIB))
    (folder / "posthorn.toml").write_text(
        f'data_dir = "{folder}/data"\n[whatsapp]\nurl = "ws://127.0.0.1:9/"\n[api]\nlisten = "127.0.0.1"\nport = 0\n')
    box = subprocess.Popen([build / "firmware/daemon/posthornd", "--config", folder / "posthorn.toml"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = json.loads(box.stdout.readline())["url"]
        access = json.loads((folder / "data/access.json").read_text())
        method = lambda name: f"{url}/waInstance{access['idInstance']}/{name}/{access['careToken']}"
        subprocess.run(["curl", "-sf", "-T", __file__, method("uploadBackup")], check=True, capture_output=True)
        time.sleep(3)
        shares, grown = [], []
        for round_number in range(1, 6):
            dd, _ = timed("dd", f"if={source}", f"of={folder}/copy", "bs=4M", "oflag=dsync")
            with Watch(box.pid) as up:
                rate_up, answer = timed("curl", "-sf", "-H", "Expect:", "-T", str(source), method("uploadBackup"))
            ref = json.loads(answer)["sha256"]
            stored = next((folder / "data/files").glob(f"*-{ref}.*"))
            assert hashlib.sha256(stored.read_bytes()).hexdigest() == ref
            with Watch(box.pid) as down:
                rate_down, _ = timed("curl", "-sf", "-o", "/dev/null", method("uploadBackup"))
            print(f"round {round_number}: dd {dd:.0f} MiB/s; in {rate_up:.0f} MiB/s ({rate_up / dd:.2f} of dd), resident "
                  f"{up.grown():+.2f} MiB, CPU {up.cpu:.2f} s; out {rate_down:.0f} MiB/s, resident {down.grown():+.2f} MiB, "
                  f"CPU {down.cpu:.2f} s")
            os.remove(folder / "copy")
            shares.append(rate_up / dd)
            grown.append(max(up.grown(), down.grown()))
        share, most = statistics.median(shares), max(grown)
        print(f"in: {share:.2f} of dd (median; wanted 0.8), resident at most {most:+.2f} MiB (wanted below 1)")
        return 0 if share >= 0.8 and most < 1 else 1
    finally:
        box.send_signal(signal.SIGTERM)
        box.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())

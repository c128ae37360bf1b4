#!/usr/bin/env python3
"""What becomes of a damaged data partition (image/root/usr/lib/posthorn/data-partition), on a file with a real file
system: data_partition.py. Needs root and loop devices; ends with 77 (skipped) without."""

import os
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from scripts import Sandbox

MB = 1 << 20
SIZE = 192 * MB  # two groups of blocks, so that there is a spare superblock
FACTORY = "00000000-0000-4000-8000-0000000000d1"
SKIPPED = 77


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **more).stdout.strip()


class DataPartition(unittest.TestCase):
    def setUp(self):
        self.box = Sandbox()
        self.data = self.box.folder / "data"
        self.boot = self.box.folder / "boot"
        for folder in (self.data, self.boot):
            folder.mkdir()
        self.disk = self.box.folder / "disk"
        self.make()
        self.loop = None
        self.script = self.box.script("data-partition", {
            "/run/posthorn-data-partition": self.box.folder / "device", "/run/posthorn-no-data": self.box.folder / "no-data",
            "/boot/firmware": self.boot, "/data": self.data, "systemd-timesync:systemd-timesync": "0:0",
            "/usr/lib/posthorn": self.box.programs})
        # Growing a mounted file system takes a right that a container's root may not have.
        self.box.stand_in("resize2fs", 'echo "$@" >>"$T/grown"')
        self.box.stand_in("posthorn-led", 'echo "$@" >>"$T/light"')
        self.box.stand_in("systemctl", 'echo "$@" >>"$T/system"')
        self.box.stand_in("modprobe", "true")
        # The boot partition is a folder here; what is remounted is told.
        self.box.stand_in("mount", f'case "$*" in "-o remount"*) echo "$@" >>"$T/mounts" ;; *) exec /usr/bin/mount "$@" ;; esac')

    def tearDown(self):
        subprocess.run(["umount", self.data], stderr=subprocess.DEVNULL, check=False)
        if self.loop:
            run("losetup", "-d", self.loop)
        self.box.close()

    def make(self):
        """As flashed and used: an id, a ring, settings."""
        with open(self.disk, "wb") as file:
            file.truncate(SIZE)
        content = self.box.folder / "content"
        for name, text in (("posthorn/access.json", "mine"), ("posthorn/queue/ring", "waiting"), ("posthorn-system/settings.txt", "kept")):
            path = content / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-U", FACTORY, "-O", "metadata_csum_seed", "-J", "size=4", "-d", content, self.disk)

    def write(self, offset, content):
        with open(self.disk, "r+b") as file:
            file.seek(offset)
            file.write(content)

    def start(self, word="mount"):
        subprocess.run(["umount", self.data], stderr=subprocess.DEVNULL, check=False)
        if not self.loop:
            self.loop = run("losetup", "-f", "--show", self.disk)
            (self.box.folder / "device").write_text(self.loop + "\n")
        status, said = self.box.run(self.script, word, seconds=300)
        self.assertEqual(status, 0, said)
        return said

    def kind(self):
        return run("findmnt", "-no", "FSTYPE", self.data)

    def is_as_before(self, said):
        self.assertEqual(self.kind(), "ext4", said)
        self.assertEqual((self.data / "posthorn/access.json").read_text(), "mine", said)
        self.assertEqual((self.data / "posthorn/queue/ring").read_text(), "waiting", said)
        self.assertEqual((self.data / "posthorn-system/settings.txt").read_text(), "kept", said)

    def is_new(self, said):
        self.assertEqual(self.kind(), "ext4", said)
        self.assertEqual(list((self.data / "posthorn").iterdir()), [], said)

    def is_without_data(self, said, why):
        self.assertEqual(self.kind(), "tmpfs", said)
        self.assertIn(why, self.box.said("no-data"))
        self.assertIn(why, (self.data / "posthorn-system/volatile").read_text())
        self.assertIn("fault", self.box.said("light"))
        self.assertIn("noexec", run("findmnt", "-no", "OPTIONS", self.data))

    def test_a_whole_one_is_mounted_and_gets_a_number_of_its_own_once(self):
        self.is_as_before(self.start())
        self.assertEqual(self.box.said("light"), "")
        self.assertEqual(self.box.said("grown"), self.loop + "\n")
        number = run("blkid", "-p", "-s", "UUID", "-o", "value", self.loop)
        self.assertNotEqual(number, FACTORY)
        self.is_as_before(self.start())
        self.assertEqual(run("blkid", "-p", "-s", "UUID", "-o", "value", self.loop), number)

    def test_a_zeroed_superblock(self):
        self.write(0, bytes(4096))
        said = self.start()
        self.is_as_before(said)
        self.assertIn("fault", self.box.said("light"))

    def test_a_garbled_superblock(self):
        self.write(0, os.urandom(4096))
        self.is_as_before(self.start())

    def test_folders_that_cannot_be_read_though_all_is_said_to_be_clean(self):
        block = int(run("debugfs", "-R", "blocks <2>", self.disk).split()[-1])
        self.write(block * 4096, os.urandom(4096))
        said = self.start()
        self.is_as_before(said)
        self.assertIn("found again in lost+found", said)

    def test_all_zero(self):
        for offset in range(0, SIZE, MB):
            self.write(offset, bytes(MB))
        self.is_without_data(self.start(), "damaged beyond repair")

    def test_noise_all_over(self):
        for offset in range(0, SIZE, MB):
            self.write(offset, os.urandom(MB))
        self.is_without_data(self.start(), "damaged beyond repair")

    def test_not_there(self):
        self.loop = run("losetup", "-f", "--show", self.disk)
        (self.box.folder / "device").write_text("\n")
        self.is_without_data(self.start(), "not on the card")

    def test_write_protected(self):
        self.loop = run("losetup", "-r", "-f", "--show", self.disk)
        (self.box.folder / "device").write_text(self.loop + "\n")
        self.is_without_data(self.start(), "write-protected")

    def test_a_file_on_the_card_makes_a_new_one_once(self):
        (self.boot / "New-Data.txt.txt").touch()
        (self.boot / "posthorn.txt").touch()
        self.is_new(self.start())
        self.assertEqual([file.name for file in self.boot.iterdir()], ["posthorn.txt"])
        self.assertRegex(self.box.said("mounts"), "remount,rw .*\n.*remount,ro ")
        (self.data / "posthorn/access.json").write_text("mine")
        said = self.start()
        self.assertEqual((self.data / "posthorn/access.json").read_text(), "mine", said)

    def test_a_file_that_cannot_be_taken_away_makes_nothing(self):
        (self.boot / "new-data").touch()
        self.box.stand_in("rm", 'case "$*" in *new*|*NEW*|*nN*) exit 1 ;; *) exec /usr/bin/rm "$@" ;; esac')
        self.is_as_before(self.start())

    def test_the_long_press_makes_a_new_one_and_restarts(self):
        for offset in range(0, SIZE, MB):
            self.write(offset, bytes(MB))
        self.start()
        said = self.start("renew")
        self.assertIn("reboot", self.box.said("system"), said)
        (self.box.folder / "no-data").unlink()
        self.is_new(self.start())


def able():
    """Whether this machine can attach and mount a file at all."""
    if os.geteuid() != 0:
        return False
    box = Sandbox()
    try:
        disk = box.folder / "disk"
        disk.write_bytes(bytes(4 * MB))
        run("mke2fs", "-q", "-F", "-t", "ext4", disk)
        place = box.folder / "place"
        place.mkdir()
        run("mount", "-o", "loop", disk, place)
        run("umount", place)
        return True
    except (subprocess.CalledProcessError, FileNotFoundError):
        return False
    finally:
        box.close()


if __name__ == "__main__":
    if not able():
        print("skipped: needs root and loop devices")
        sys.exit(SKIPPED)
    unittest.main()

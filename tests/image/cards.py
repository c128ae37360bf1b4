"""Two cards in one box, as when a technician flashes or copies one: the box uses the card that it was started from, and
never touches the other."""

import pathlib
import subprocess
import sys

import card
from machine import Machine, wait_for
from update import ROOT, changed, make_stick, plug, slots, version

sys.path.append(str(ROOT / "image/lib"))

# pylint: disable=wrong-import-position
import bundle
import signing
from stage import SIGNATURE


def run(report, image, folder):
    one = card.make(image, folder / "one.img", "host_name = first-box\n")
    two = card.make(image, folder / "two.img", "host_name = second-box\n")
    report.equal("freshly flashed cards are alike", (signature(one), signature(two)), (SIGNATURE, SIGNATURE))
    for own, other, name in ((one, two, "first-box"), (two, one, "second-box")):
        before = copy(other, folder / "before.img")
        with WithOther(own, folder, name, other) as box:
            uses_its_own(report, box, f"two cards, started from {name}", name)
            box.power_off()
        report.check(f"two cards, started from {name}: the other is as it was", same(other, before))
    report.check("each has a number of its own now", len({signature(one), signature(two), SIGNATURE}) == 3)
    report.check("and so has each data partition", len({file_system(one), file_system(two)}) == 2)
    clone = copy(one, folder / "clone.img")
    copied_card(report, folder, one, clone)
    with_an_update(report, folder, one)


def copied_card(report, folder, own, clone):
    """A copy has the same number. The kernel finds it first, U-Boot's count says that we are the second."""
    before = copy(clone, folder / "before.img")
    boot = ROOT / "build/image/tree/root/boot"
    arguments = (f"console=ttyAMA0 root=PARTUUID={signature(own)}-02 posthorn.disk=virtio1 rauc.slot=A panic=10 "
                 "posthorn.console=hvc0")
    start = ["-kernel", str(boot / "Image"), "-initrd", str(boot / "initrd.img"), "-append", arguments]
    with WithOther(clone, folder, "behind-a-copy", own, start) as box:
        uses_its_own(report, box, "behind its own copy", "first-box", "vdb")
        box.output("touch /data/unfinished; sync")
        box.cut_power()
    report.check("behind its own copy: the copy is as it was", same(clone, before))


def with_an_update(report, folder, own):
    """The copy in a USB reader while an update is written."""
    slot = ROOT / "build/image/slot/slot.ext4"
    good = changed(slot, folder / "good.ext4", "/usr/lib/os-release", "NAME=Posthorn\nID=posthorn\nVERSION_ID=2.0\n", "0100644")
    bundle.make_bundle(folder / "good.raucb", good, "2.0", signing.development(), level=1)
    make_stick(folder / "stick.img", {"held/good.raucb": folder / "good.raucb"})
    # With a journal that waits to be replayed: looking at it must not do that.
    in_reader = copy(own, folder / "reader.img")
    before = copy(in_reader, folder / "before.img")
    with Machine(own, folder, "update") as box:
        box.wait_api()
        box.wait_shell()
        insert(box, in_reader, "reader")
        wait_for("the copy in the reader", lambda: box.shell("test -b /dev/sda4")[0] == 0, 60)
        wait_for("the search for an update on it", lambda: "Finished" in box.output("journalctl -o cat -u posthorn-usb@sda4"), 60)
        uses_its_own(report, box, "a copy in a USB reader", "first-box")
        plug(box, folder / "stick.img")
        wait_for("the stick", lambda: box.shell("test -b /dev/sdb && mkdir -p /run/held && mount -o ro /dev/sdb /run/held")[0] == 0, 60)
        seen = len(box.serial.text)
        box.shell("rauc install /run/held/held/good.raucb", 300)
        # QEMU's U-Boot would start from the reader first; a board's never does.
        box.qmp("device_del", id="reader")
        box.shell("umount /run/held; systemctl --no-block reboot")
        box.serial.expect("posthorn: slot B, order B A, left A=7 B=2", 240, seen)
        box.wait_api()
        box.wait_shell()
        wait_for("the confirmation", lambda: slots(box) == "order BA, left A=7 B=7", 120)
        report.equal("the update went to this card", version(box), "2.0")
        box.power_off()
    report.check("and not to the copy in the reader", same(in_reader, before))


class WithOther(Machine):
    """`other`: a second card on the same bus, behind the first."""

    def __init__(self, disk, folder, name, other, start=None):
        self.other = other
        self.start = start
        super().__init__(disk, folder, name)

    def arguments(self, disk, block_log, simulator):
        given = super().arguments(disk, block_log, simulator)
        place = given.index("virtio-blk-pci,drive=card") + 1
        given[place:place] = ["-blockdev", f"driver=file,filename={self.other},node-name=otherfile",
                              "-blockdev", "driver=raw,file=otherfile,node-name=other", "-device", "virtio-blk-pci,drive=other"]
        if self.start:
            place = given.index("-bios")
            given[place:place + 2] = self.start
        return given


def insert(box, image, name):
    box.qmp("blockdev-add", driver="raw", **{"node-name": name}, file={"driver": "file", "filename": str(image)})
    box.qmp("device_add", driver="usb-storage", id=name, drive=name, bus="usb.0")


def uses_its_own(report, box, what, name, disk="vda"):
    box.wait_api()
    box.wait_shell()
    wait_for("the end of the start", lambda: box.shell("systemctl is-system-running | grep -v starting")[0] == 0, 180)
    report.equal(f"{what}: its own settings", box.output("hostname"), name)
    report.equal(f"{what}: its own partitions", box.output("readlink -f /dev/posthorn/boot /dev/posthorn/a /dev/posthorn/b /dev/posthorn/data"),
                 "\n".join(f"/dev/{disk}{number}" for number in (1, 2, 3, 4)))
    report.equal(f"{what}: its own slot, boot and data partition",
                 box.output("findmnt -no SOURCE /run/slot; findmnt -no SOURCE /boot/firmware; findmnt -no SOURCE /data"),
                 f"/dev/{disk}2\n/dev/{disk}1\n/dev/{disk}4")


def signature(disk):
    with open(disk, "rb") as file:
        return file.read(512)[443:439:-1].hex()


def file_system(disk):
    start, _ = card.partitions(disk)[3]
    with open(disk, "rb") as file:
        file.seek(start + 1024 + 104)
        return file.read(16)


def copy(source, target):
    subprocess.run(["cp", "--sparse=always", source, target], check=True)
    return pathlib.Path(target)


def same(one, other):
    return subprocess.run(["cmp", one, other], stdout=subprocess.DEVNULL).returncode == 0

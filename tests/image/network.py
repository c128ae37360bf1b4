"""A new version that cannot be reached over the network is given up; a box that never had a network is asked for none."""

import pathlib
import sys

import card
from machine import Machine, wait_for
from update import ROOT, changed, slots

sys.path.append(str(ROOT / "image/lib"))

# pylint: disable=wrong-import-position
from disk import slot_file

SLOT = ROOT / "build/image/slot/slot.ext4"
# A fresh version whose network driver does nothing.
NO_NETWORK = "[Match]\nType=none\n"
# The time is not waited out: it is over before the API answers.
KERNEL = "posthorn.console=hvc0 posthorn.confirm_seconds=30"


def run(report, image, folder):
    disk = card.make(image, folder / "card.img", kernel=KERNEL)
    with Machine(disk, folder, "before") as box:
        box.wait_api()
        box.wait_shell()
        wait_for("what the box is reached by", lambda: "before: ipv4 answered" in box.output(
            "systemctl start posthorn-reach; /usr/lib/posthorn/posthorn-reach show").replace(" ipv6", ""), 120)
        report.check("the box remembers what it is reached by", True)
        box.power_off()
    broken = changed(SLOT, folder / "broken.ext4", "/usr/lib/systemd/network/80-wired.network", NO_NETWORK, "0100644")
    write_slot(disk, 2, broken)
    write_slot(disk, 3, SLOT)
    given_up(report, disk, folder)
    never_had_one(report, image, folder)


def given_up(report, disk, folder):
    fresh(disk)
    with Machine(disk, folder, "given-up") as box:
        seen = 0
        for left in (2, 1, 0):
            seen = box.serial.expect(f"posthorn: slot A, order A B, left A={left} B=7", 300, seen).end()
        box.serial.expect("posthorn: slot B, order A B, left A=0 B=7", 300, seen)
        box.wait_api()
        box.wait_shell()
        report.equal("a version without a network is given up after three tries", slots(box), "order AB, left A=0 B=7")
        status = box.output("cat /run/posthorn/update-status.json")
        report.check("and it is told why", '"failed"' in status and any(why in status for why in (
            "no IPv4 address came", "no address came", "nobody on the network answers")), status)
        box.power_off()


def never_had_one(report, image, folder):
    disk = card.make(image, folder / "alone.img", kernel="posthorn.console=hvc0")
    write_slot(disk, 3, SLOT)
    fresh(disk)
    with Alone(disk, folder, "alone") as box:
        box.wait_shell()
        wait_for("the confirmation", lambda: slots(box) == "order AB, left A=7 B=7", 240)
        report.check("a box that never had a network confirms a version without one", True)
        box.power_off()


class Alone(Machine):
    """Without a network card."""

    def arguments(self, disk, block_log, simulator):
        given = super().arguments(disk, block_log, simulator)
        place = given.index("-netdev")
        return given[:place] + given[place + 4:]


def fresh(disk):
    """As after an update: A has just been written, B runs well."""
    for name in ("slots.1", "slots.2"):
        card.put(disk, name, slot_file("A B", 3, 7))


def write_slot(disk, number, slot):
    start, _ = card.partitions(disk)[number - 1]
    with open(disk, "r+b") as target, open(slot, "rb") as source:
        target.seek(start)
        while piece := source.read(4 << 20):
            target.write(piece)

"""A data partition that is damaged, emptied or gone: what can be mended is mended, what cannot is told by light, page and
file within a minute, and the box gets a new one by its button or by a file on the card."""

import json
import os
import threading
import time
import urllib.error
import urllib.request

import card
from hardware import device_tree, pattern
from machine import Failure, Machine, wait_for
from world import Till

SETTINGS = "host_name = shop-box\r\n"
FAULT = "1 60 1 0 0 60 0 0"
ROOT_FOLDER = 2  # its inode


def run(report, image, folder):
    disk = card.make(image, folder / "card.img", SETTINGS)
    tree = device_tree(folder)

    def start(name):
        return Machine(disk, folder, name, more=["-dtb", str(tree)])

    with start("first") as box:
        box.wait_api()
        box.wait_shell()
        owner = Till(box)
        off(box)
    good = folder / "good.img"
    os.system(f"cp --sparse=always {disk} {good}")
    for name, damage in (("superblock zeroed", superblock), ("first block garbled", garbled_superblock),
                         ("root folder garbled", root_folder), ("entry in the partition table gone", entry_gone)):
        os.system(f"cp --sparse=always {good} {disk}")
        damage(disk)
        with start(name.replace(" ", "-")) as box:
            box.wait_api()
            box.wait_shell()
            report.equal(f"{name}: mended by itself, the box is the one it was",
                         (Till(box).account, Till(box).token), (owner.account, owner.token))
            off(box)
    zeroed(disk)
    with start("zeroed") as box:
        rescue(report, box, "zeroed", disk)
        held_button(report, box, owner)
        off(box)
    os.system(f"cp --sparse=always {good} {disk}")
    garbled(disk)
    with start("garbled") as box:
        rescue(report, box, "garbled", disk)
        off(box)
    card.put(disk, "New-Data.txt.txt", b"")
    with start("new-data") as box:
        box.wait_api()
        box.wait_shell()
        began_anew(report, box, owner, "a file new-data on the card")
        off(box)
    report.check("that file is gone from the card", b"posthorn.txt" in listing(disk) and b"new-data" not in listing(disk).lower(),
                 listing(disk))
    report.check("and so is the note in posthorn-result.txt", b"new-data" not in card.get(disk, "posthorn-result.txt"))


# Damage -----------------------------------------------------------------------------------------


def write(disk, offset, content):
    start, _ = card.partitions(disk)[3]
    with open(disk, "r+b") as file:
        file.seek(start + offset)
        file.write(content)


def superblock(disk):
    write(disk, 0, bytes(4096))


def garbled_superblock(disk):
    write(disk, 0, os.urandom(4096))


def root_folder(disk):
    """Its one block, found by the way that the inode tables are laid out: debugfs would need the partition in a file."""
    partition = card.region(disk, 4, disk.with_suffix(".data"))
    block = int(os.popen(f"debugfs -R 'blocks <{ROOT_FOLDER}>' {partition} 2>/dev/null").read().split()[0])
    partition.unlink()
    write(disk, block * 4096, os.urandom(4096))


def entry_gone(disk):
    with open(disk, "r+b") as file:
        file.seek(446 + 3 * 16)
        file.write(bytes(16))


def zeroed(disk):
    start, length = card.partitions(disk)[3]
    with open(disk, "r+b") as file:
        for offset in range(start, start + length, 1 << 20):
            file.seek(offset)
            file.write(bytes(min(1 << 20, start + length - offset)))


def garbled(disk):
    """A MiB of noise every two, over all spare superblocks."""
    _, length = card.partitions(disk)[3]
    for offset in range(0, length - (2 << 20), 2 << 20):
        write(disk, offset, os.urandom(1 << 20))


# What the box does -------------------------------------------------------------------------------


def off(box):
    box.output("sync")
    box.power_off()


def listing(disk):
    return os.popen(f"mdir -b -i {disk}@@{card.BOOT_OFFSET} ::").read().encode()


def answer(box, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{box.ports[80]}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def rescue(report, box, what, disk):
    status, page = wait_for("the page of the box without data", lambda: answer(box, "/"), 240)
    box.wait_shell()
    report.check(f"{what}: the root page says what is wrong and what to do", status == 503 and "data partition" in page and
                 "new-data.txt" in page, page)
    seconds = float(box.output("journalctl -o short-monotonic -u posthorn-data | grep 'cannot be used'").split("]")[0].strip("[ "))
    report.check(f"{what}: known {seconds:.0f} s after the start of the kernel", seconds < 60 * float(os.environ.get("POSTHORN_PATIENCE", "1")))
    wait_for("the light", lambda: pattern(box).startswith(FAULT), 30)
    report.check(f"{what}: the light shows a fault", True)
    status, body = answer(box, "/waInstance1/sendMessage/x")
    report.check(f"{what}: a till's message is refused, with why and what to do", status == 503 and
                 json.loads(body)["whatToDo"] != "", body)
    report.equal(f"{what}: the health check says so", json.loads(answer(box, "/healthz")[1])["status"], "storageFailed")
    report.equal(f"{what}: the box has its name", box.output("hostname"), "shop-box")
    report.check(f"{what}: reachable by it", "shop-box.local" in box.output(
        "busctl call org.freedesktop.Avahi / org.freedesktop.Avahi.Server GetHostNameFqdn"))
    report.check(f"{what}: posthorn-result.txt on the card says it too",
                 "new-data.txt" in box.output("cat /boot/firmware/posthorn-result.txt"))
    report.equal(f"{what}: no failed units", box.output("systemctl --failed --plain --no-legend"), "")


def held_button(report, box, owner):
    """QEMU's power button is a pulse of 100 ms: sent often enough it is held down."""
    seen = len(box.serial.text)
    held = threading.Event()

    def hold():
        while not held.wait(0.05):
            box.qmp("system_powerdown")

    holder = threading.Thread(target=hold)
    pressed = time.monotonic()
    holder.start()
    # The emulated clock decides: the quickest even blinks mean that letting go begins anew.
    try:
        wait_for("the light of the longest press", lambda: pattern(box).startswith("1 80 1 0 0 80 0 0"), 90)
    finally:
        held.set()
        holder.join()
    report.note(f"button held for {time.monotonic() - pressed:.0f} s")
    box.serial.expect("posthorn: slot A", 150, seen)
    box.wait_api()
    box.wait_shell()
    began_anew(report, box, owner, "the button held for 20 s")


def began_anew(report, box, owner, what):
    till = Till(box)
    report.check(f"{what}: a new data partition, another box", till.token != owner.token and till.account != owner.account)
    report.equal(f"{what}: it waits for a phone or a restore", till.call("getStateInstance")["stateInstance"], "notAuthorized")
    report.equal(f"{what}: under its name", box.output("hostname"), "shop-box")
    size = int(box.output("findmnt -bno SIZE /data"))
    report.check(f"{what}: as large as the card allows", size > 600 << 20, size)
    if box.output("systemctl --failed --plain --no-legend") != "":
        raise Failure(box.output("systemctl --failed"))

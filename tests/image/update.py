"""Test 4: updates that are refused, taken, undone; power cuts while one is being written and while the box starts."""

import pathlib
import shutil
import subprocess
import sys

import card
from machine import PATIENCE, Failure, Machine, wait_for
from world import Till, World, introduce

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "image/lib"))

# pylint: disable=wrong-import-position
import bundle
import signing

REQUEST = "/var/lib/posthorn/requests/update.raucb"
INCOMING = "/var/lib/posthorn/incoming/update.raucb"
STATUS = "/run/posthorn/update-status.json"
WAITING = [f"order {number} is ready" for number in range(5)]


def run(report, image, folder):
    make_updates(report, folder)
    disk = card.make(image, folder / "card.img")
    with World(ROOT) as world:
        waiting = linked_with_a_queue(report, world, disk, folder)
        quick_cuts(report, disk, folder)
        cut_while_installing(report, disk, folder)
        good_from_a_stick(report, world, disk, folder, waiting)
    torn_slot_file(report, disk, folder)
    both_slot_files_torn(report, disk, folder)


# The updates ------------------------------------------------------------------------------------


def make_updates(report, folder):
    """good: says another version. broken: its daemon ends at once. stranger: signed by somebody else."""
    slot = ROOT / "build/image/slot/slot.ext4"
    key = signing.development()
    other = folder / "stranger"
    signing.make(other, "Somebody else")
    good = changed(slot, folder / "good.ext4", "/usr/lib/os-release", "NAME=Posthorn\nID=posthorn\nVERSION_ID=2.0\n", "0100644")
    bundle.make_bundle(folder / "good.raucb", good, "2.0", key, level=1)
    broken = changed(slot, folder / "broken.ext4", "/usr/bin/posthornd", "#!/bin/sh\nexit 1\n", "0100755")
    bundle.make_bundle(folder / "broken.raucb", broken, "2.1", key, level=1)
    bundle.make_bundle(folder / "stranger.raucb", good, "6.6.6", other, level=1)
    make_stick(folder / "stick.img", {"update-2.0.raucb": folder / "good.raucb"})
    make_stick(folder / "box-of-updates.img", {"held/good.raucb": folder / "good.raucb",
                                               "held/broken.raucb": folder / "broken.raucb",
                                               "held/stranger.raucb": folder / "stranger.raucb"})
    report.note(f"an update has {(folder / 'good.raucb').stat().st_size // 1_000_000} MB")


def changed(slot, out, path, content, mode):
    """A slot with one file exchanged."""
    subprocess.run(["cp", "--sparse=always", slot, out], check=True)
    source = out.parent / "exchanged"
    source.write_text(content)
    commands = f"rm {path}\nwrite {source} {path}\nsif {path} mode {mode}\n"
    subprocess.run(["debugfs", "-w", "-f", "-", out], input=commands.encode(), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return out


def make_stick(path, files):
    size = sum(file.stat().st_size for file in files.values()) // (1 << 20) + 16
    with open(path, "wb") as stick:
        stick.truncate(max(size, 64) << 20)
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", "STICK", path], check=True, stdout=subprocess.DEVNULL)
    for folder in {name.rpartition("/")[0] for name in files} - {""}:
        subprocess.run(["mmd", "-i", path, "::" + folder], check=True)
    for name, file in files.items():
        subprocess.run(["mcopy", "-i", path, file, "::" + name], check=True)


# Doing it ---------------------------------------------------------------------------------------


def plug(box, stick):
    box.qmp("blockdev-add", driver="raw", **{"node-name": "stick"},
            file={"driver": "file", "filename": str(stick), "read-only": True}, **{"read-only": True})
    box.qmp("device_add", driver="usb-storage", id="stick", drive="stick", bus="usb.0")


def request(box, folder, name):
    """Hands an update over as the daemon does: complete, then renamed into place."""
    if box.shell("test -d /run/held/held")[0] != 0:
        plug(box, folder / "box-of-updates.img")
        wait_for("the second stick", lambda: box.shell("test -b /dev/sda")[0] == 0, 30)
        wait_for("the stick to be left alone", lambda: box.shell(
            "mkdir -p /run/held && mount -o ro /dev/sda /run/held")[0] == 0, 30)
    box.shell(f"rm -f {STATUS}")
    status, output = box.shell(f"cp /run/held/held/{name}.raucb {INCOMING} && chown posthorn: {INCOMING} && "
                               f"mv {INCOMING} {REQUEST}", 120)
    if status != 0:
        raise Failure(f"no request: {output}")


def posthornctl(box, till, *words):
    """From another computer on the LAN."""
    program = ROOT / "build/release/firmware/ctl/posthornctl"
    return subprocess.run([program, "--url", f"http://127.0.0.1:{box.ports[80]}", "--id", str(till.account), "--token",
                           till.token, "--care", till.care, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=240 * PATIENCE)


def slots(box):
    return box.output("/usr/lib/posthorn/posthorn-slots show")


def version(box):
    return box.output(". /etc/os-release; echo $VERSION_ID")


def queue_of(box):
    return sorted(job["body"]["message"] for job in Till(box).call("showMessagesQueue"))


def linked_with_a_queue(report, world, disk, folder):
    """Links the box and leaves messages in its queue; a stranger's update is refused meanwhile."""
    with Machine(disk, folder, "linked", simulator=world.port) as box:
        box.wait_api()
        box.wait_shell()
        introduce(box, world)
        till = Till(box)
        till.link(world)
        box.shell("systemctl stop simulator.socket simulator.service")
        waiting = {till.send(world.hello["phone"], text): text for text in WAITING}
        report.equal("messages wait in the queue", queue_of(box), sorted(WAITING))
        sent = posthornctl(box, till, "update", folder / "stranger.raucb")
        report.check("a stranger's update, uploaded over the API by posthornctl, is refused, and it says so",
                     sent.returncode != 0 and "was not installed" in sent.stdout, sent.stdout)
        report.check("the box has said why", "signature" in box.output(f"cat {STATUS}").lower(), box.output(f"cat {STATUS}"))
        report.equal("the slots are as before", slots(box), "order AB, left A=7 B=0")
        box.output("sync")
        box.cut_power()
    return waiting


def quick_cuts(report, disk, folder):
    for count in range(5):
        with Machine(disk, folder, f"quick{count}") as box:
            box.serial.expect("Run /init|systemd 252|EXT4-fs", 60)
            box.cut_power()
    files = [card.get(disk, name) for name in ("slots.1", "slots.2")]
    report.check("five quick power cuts leave the confirmed slot confirmed",
                 all(b"BOOT_A_LEFT=7" in file and b"BOOT_ORDER=A B" in file for file in files), files)


def cut_while_installing(report, disk, folder):
    with Machine(disk, folder, "installing") as box:
        box.wait_api()
        box.wait_shell()
        request(box, folder, "good")
        wait_for("the slot being written", lambda: slots(box) == "order A, left A=7 B=0" and
                 int(box.output("cat /sys/class/block/vda3/stat").split()[6]) > 20000, 120)
        box.cut_power()
    with Machine(disk, folder, "after-install-cut") as box:
        box.wait_api()
        box.wait_shell()
        report.check("the power cut while the update was written: the old slot starts",
                     slots(box).startswith("order A,") and "rauc.slot=A" in box.output("cat /proc/cmdline"), slots(box))
        report.equal("the queue is as it was", queue_of(box), sorted(WAITING))
        box.power_off()


def good_from_a_stick(report, world, disk, folder, waiting):
    with Machine(disk, folder, "good", simulator=world.port) as box:
        box.wait_api()
        box.wait_shell()
        seen = len(box.serial.text)
        plug(box, folder / "stick.img")
        box.serial.expect("posthorn: slot B, order B A, left A=7 B=2", 240, seen)
        box.wait_api()
        box.wait_shell()
        wait_for("the confirmation", lambda: slots(box) == "order BA, left A=7 B=7", 120)
        report.equal("a good update from a USB stick is installed, started and confirmed", version(box), "2.0")
        report.equal("the queue is as it was", queue_of(box), sorted(WAITING))
        introduce(box, world)
        Till(box).wait_online()
        report.check("the session is as it was: linked without a new code", True)

        def arrived():
            return [m["id"] for m in world.ask("messages") if m["id"] in waiting]

        wait_for("what waited to arrive", lambda: len(arrived()) >= len(waiting), 60)
        report.equal("what waited through all this arrives exactly once", sorted(arrived()), sorted(waiting))
        stays_installed_once(report, box)
        broken_is_undone(report, box, folder)
        box.power_off()


def stays_installed_once(report, box):
    """The stick is still in: the start above must not have installed it again."""
    log = box.output("journalctl -o cat -u 'posthorn-usb@*'")
    report.check("the stick that stays in is not installed again", "was installed before" in log, log)
    box.qmp("device_del", id="stick")
    wait_for("the stick to be gone", lambda: box.shell("test -b /dev/sda")[0] != 0, 30)
    wait_for("QEMU to let go of it", lambda: box.qmp("blockdev-del", **{"node-name": "stick"}) is not None, 30)


def broken_is_undone(report, box, folder):
    request(box, folder, "broken")
    seen = len(box.serial.text)
    for left in (2, 1, 0):
        found = box.serial.expect(f"posthorn: slot A, order A B, left A={left} B=7", 300, seen)
        seen = found.end()
    box.serial.expect("posthorn: slot B, order A B, left A=0 B=7", 300, seen)
    box.wait_api()
    box.wait_shell()
    report.equal("a broken update is undone after three tries, by itself", version(box), "2.0")
    report.equal("no failed units after that", box.output("systemctl --failed --plain --no-legend"), "")


def torn_slot_file(report, disk, folder):
    whole = card.get(disk, "slots.1")
    # Behind its CRC the text has about 44 bytes; zeros follow.
    card.put(disk, "slots.1", whole[:24] + bytes(488))
    with Machine(disk, folder, "torn") as box:
        box.serial.expect("posthorn: slots.1 is damaged", 60)
        box.serial.expect("posthorn: slot B", 30)
        box.wait_api()
        box.wait_shell()
        report.equal("a torn slot file: the other copy counts", version(box), "2.0")
        box.power_off()
    report.equal("the torn copy is mended", card.get(disk, "slots.1"), card.get(disk, "slots.2"))


def both_slot_files_torn(report, disk, folder):
    for name in ("slots.1", "slots.2"):
        card.put(disk, name, bytes(512))
    with Machine(disk, folder, "both-torn") as box:
        box.wait_api(420)
        box.wait_shell()
        report.check("both copies lost: the box starts all the same", True)
        wait_for("the confirmation", lambda: "=7" in slots(box), 120)
        report.check("and confirms what runs", True)
        box.power_off()
    shutil.rmtree(folder / "stranger", ignore_errors=True)

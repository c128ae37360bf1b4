"""Test 1: a freshly flashed card in a board without a clock battery."""

import json
import time

import card
from machine import Machine, wait_for

SETTINGS = "host_name = shop-box\r\ntime_zone = Europe/Berlin\r\npage_password = bretzel-42\r\nnonsense = 1\r\n"


def run(report, image, folder):
    disk = card.make(image, folder / "first.img", SETTINGS)
    sizes = card.partitions(disk)
    with Machine(disk, folder, "first", clock="1970-01-02") as box:
        report.note(f"power on to API: {box.wait_api():.0f} s (emulated, U-Boot included)")
        box.wait_shell()
        wait_for("the end of the start", lambda: box.shell("systemctl is-system-running | grep -v starting")[0] == 0, 180)
        started_well(report, box)
        nothing_to_write_to(report, box)
        clock(report, box)
        grown(report, box, disk, sizes)
        settings(report, box, disk)
        hung_daemon(report, box)
        box.power_off()
    return disk


def started_well(report, box):
    report.equal("no failed units", box.output("systemctl --failed --plain --no-legend"), "")
    report.equal("systemd says running", box.output("systemctl is-system-running"), "running")
    report.equal("the API says ok", box.get("/healthz")["status"], "ok")
    report.check("confirmed by its own health check",
                 "was confirmed before" in box.output("journalctl -o cat -u posthorn-confirm"),
                 box.output("journalctl -o cat -u posthorn-confirm"))
    report.check("the hardware watchdog is armed", "i6300ESB" in box.output("wdctl 2>/dev/null; dmesg | grep -i i6300")
                 and box.output("systemctl show -P RuntimeWatchdogUSec") == "30s")
    report.equal("the daemon runs as user posthorn", box.output("stat -c %U /proc/$(systemctl show -P MainPID posthornd)"),
                 "posthorn")
    report.check("it answers with TLS too", box.answers_with_tls())
    memory = box.output("cat /proc/meminfo")
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in memory.splitlines()}
    used = (kilobytes["MemTotal"] - kilobytes["MemAvailable"]) // 1024
    report.check(f"whole system in {used} MiB of memory", used < 200)


def nothing_to_write_to(report, box):
    mounts = [line.split() for line in box.output("cat /proc/mounts").splitlines()]
    card_mounts = {mount[1]: mount[3].split(",")[0] for mount in mounts if mount[0].startswith("/dev/vda")}
    writable = {place for place, mode in card_mounts.items() if mode == "rw"}
    report.equal("only the data partition is writable", writable,
                 {"/data", "/var/lib/posthorn", "/var/lib/posthorn-system", "/var/lib/systemd/timesync"})
    report.equal("the slot is mounted read-only", card_mounts.get("/run/slot"), "ro")
    report.equal("the boot partition is mounted read-only", card_mounts.get("/boot/firmware"), "ro")
    report.equal("the journal is volatile", box.output("ls /var/log/journal 2>/dev/null | wc -l"), "0")


def clock(report, box):
    year = box.output("date +%Y")
    report.check("a clock of 1970 becomes the image's day, not 1970", int(year) >= 2026, year)
    report.check("timesyncd keeps its clock on the data partition",
                 "/dev/vda4" in box.output("findmnt -no SOURCE /var/lib/systemd/timesync"))


def grown(report, box, disk, before):
    after = card.partitions(disk)
    report.equal("the other partitions are where they were", after[:3], before[:3])
    report.equal("the data partition reaches the end of the card", sum(after[3]) >> 22, card.CARD_BYTES >> 22)
    size = int(box.output("findmnt -bno SIZE /data"))
    report.check("its file system grew too", size > 0.9 * after[3][1], size)


def settings(report, box, disk):
    report.equal("the host name of posthorn.txt is set", box.output("hostname"), "shop-box")
    report.check("the box is called so on the LAN", "shop-box.local" in box.output(
        "busctl call org.freedesktop.Avahi / org.freedesktop.Avahi.Server GetHostNameFqdn"))
    report.check("the time zone of posthorn.txt is set",
                 "Europe/Berlin" in box.output("readlink /etc/localtime; cat /run/posthorn/posthorn.toml"))
    verdict = card.get(disk, "posthorn-result.txt").decode()
    report.check("the verdict stands beside it, line by line", "line 1, host_name" in verdict and
                 "line 4, nonsense: NOT USED" in verdict, verdict)
    access = json.loads(box.output("cat /var/lib/posthorn/access.json"))
    told = lambda: card.get(disk, "posthorn-result.txt").decode()
    wait_for("the token on the card", lambda: f'apiTokenInstance = {access["apiTokenInstance"]}\n' in told(), 60)
    report.check("whoever holds the card learns how a till reaches the box",
                 f'apiUrl = http://shop-box.local\n  idInstance = {access["idInstance"]}\n' in told(), told())
    text = card.get(disk, "posthorn.txt").decode()
    report.check("the password is gone from the card", "bretzel-42" not in text and "page_password" in text, text)


def hung_daemon(report, box):
    """Test 2, without hardware: a daemon that no longer turns is killed and restarted."""
    before = box.output("systemctl show -P MainPID posthornd")
    box.shell(f"kill -STOP {before}")
    stopped = time.monotonic()
    wait_for("a new daemon", lambda: box.output("systemctl show -P MainPID posthornd") not in (before, "0"), 90)
    wait_for("the API of the new daemon", lambda: box.get("/healthz", 3), 60)
    report.check(f"a hung daemon is restarted and answers after {time.monotonic() - stopped:.0f} s", True)

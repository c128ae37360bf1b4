"""Test 2: LED, button, hardware watchdog and factory reset, as far as the emulator has them: its GPIO controller gets a LED by a
device tree of ours, QEMU's power button pulls line 3, a watchdog card resets."""

import re
import subprocess
import time

import card
from machine import Machine, wait_for
from world import Till

LED = "/sys/class/leds/posthorn:status"


def run(report, image, folder):
    disk = card.make(image, folder / "card.img")
    tree = device_tree(folder)
    with Machine(disk, folder, "board", more=["-dtb", str(tree)]) as box:
        box.wait_api()
        box.wait_shell()
        wait_for("the end of the start", lambda: box.shell("systemctl is-system-running | grep -v starting")[0] == 0, 120)
        led(report, box)
        button(report, box)
        fault(report, box)
        watchdog(report, box)
        box.wait_api()
        box.wait_shell()
        factory_reset(report, box)


def device_tree(folder):
    """QEMU's own device tree, with a LED on the GPIO controller and without its key driver on the button's line."""
    dumped = folder / "virt.dtb"
    subprocess.run(["qemu-system-aarch64", "-M", f"{Machine.board},dumpdtb={dumped}", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024",
                    "-display", "none", "-nodefaults"], check=True, stderr=subprocess.DEVNULL)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dumped], check=True, stdout=subprocess.PIPE).stdout.decode()
    controller = re.search(r"pl061@\w+ \{.*?phandle = <(0x\w+)>", text, re.S)[1]
    text = re.sub(r"\n\tgpio-keys \{.*?\n\t\};\n", "\n", text, flags=re.S)
    leds = ('\tleds {\n\t\tcompatible = "gpio-leds";\n\t\tstatus-led {\n\t\t\tlabel = "posthorn:status";\n'
            f"\t\t\tgpios = <{controller} 0x00 0x00>;\n\t\t}};\n\t}};\n")
    end = text.rindex("};")
    source = folder / "board.dts"
    source.write_text(text[:end] + leds + text[end:])
    tree = folder / "board.dtb"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, source], check=True)
    return tree


def pattern(box):
    return box.output(f"cat {LED}/pattern")


def led(report, box):
    report.check("the kernel drives the LED by a pattern", "[pattern]" in box.output(f"cat {LED}/trigger"),
                 box.output(f"cat {LED}/trigger"))
    report.check("not linked: two blinks, pause", len(pattern(box).split()) >= 8, pattern(box))


def button(report, box):
    before = pattern(box)
    box.qmp("system_powerdown")
    wait_for("the LED to show that the button was pressed", lambda: pattern(box) != before, 15)
    shown = pattern(box)
    report.check("a short press: the box shows itself", shown != before, shown)
    wait_for("the LED as before", lambda: pattern(box) == before, 60)
    report.check("and the LED tells the state again after that", True)


def fault(report, box):
    waiting = pattern(box)
    box.shell("systemctl stop posthornd; systemctl start posthorn-fault")
    gone = pattern(box)
    report.check("a daemon that is down: the LED tells it", gone != waiting, gone)
    box.shell("systemctl start posthornd", 90)
    wait_for("the LED as before", lambda: pattern(box) == waiting, 60)
    report.check("it is up again: the LED tells that too", True)


def watchdog(report, box):
    """A kernel that hangs for good: no restart of its own after the panic, only the watchdog is left."""
    report.equal("the kernel would not restart by itself", box.output("echo 0 >/proc/sys/kernel/panic; cat /proc/sys/kernel/panic"), "0")
    seen = len(box.serial.text)
    started = time.monotonic()
    box.shell_console.send("echo c >/proc/sysrq-trigger\n")
    box.serial.expect("posthorn: slot A", 150, seen)
    report.check(f"a hung kernel: the hardware watchdog restarts the box after {time.monotonic() - started:.0f} s", True)


def factory_reset(report, box):
    """As after the button's longest press: the daemon begins as on the first day. The computer would restart too if
    settings of a posthorn.txt had to go."""
    box.output("touch /var/lib/posthorn/left-behind; sync")
    before = Till(box)
    before.call("resetBox", {"what": "everything", "confirm": "everything"})
    after = wait_for("a new token", lambda: (till := Till(box)).token != before.token and till, 120)
    box.wait_api()
    report.check("a factory reset: another token and number, nothing left behind",
                 after.account != before.account and box.shell("test -e /var/lib/posthorn/left-behind")[0] != 0)
    report.equal("and no phone", after.call("getStateInstance")["stateInstance"], "notAuthorized")

"""Test 5: the same image on the emulated Raspberry Pi 3B with its real device tree, the card as an SD card.

Started twice from one card. First through Debian's U-Boot for the Pi out of the image's own boot partition, as a
board starts. QEMU's USB controller gives Linux no devices after U-Boot has used it, so that start has no network
and is watched on the serial ports. Then with the kernel of the slot handed over directly: the API over USB."""

import pathlib

import card
from machine import Lines, Machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
# QEMU's model of the Pi's watchdog resets as soon as it is armed.
KERNEL = "module_blacklist=bcm2835_wdt"


class RaspberryPi(Machine):
    """`start`: QEMU's arguments for what the boot firmware would load."""

    def __init__(self, disk, folder, name, start):
        self.start = start
        self.tree = folder / "rpi-3-b.dtb"
        self.tree.write_bytes(card.get(disk, "bcm2837-rpi-3-b.dtb"))
        super().__init__(disk, folder, name)
        # U-Boot talks on the second port (the device tree's stdout-path), Linux on both.
        self.second = Lines(self.path("second.sock"), self.path("second.log"))

    def arguments(self, disk, block_log, simulator):
        return ["qemu-system-aarch64", "-M", "raspi3b", "-display", "none", *self.start, "-dtb", str(self.tree),
                "-drive", f"if=sd,format=raw,file={disk}", "-netdev", self.network(simulator),
                "-usb", "-device", "usb-net,netdev=lan", *self.socket_arguments("serial"), "-serial", "chardev:serial",
                *self.socket_arguments("second"), "-serial", "chardev:second"]


def run(report, image, folder):
    disk = card.make(image, folder / "card.img", kernel=KERNEL)
    with open(disk, "r+b") as file:
        file.truncate(2 << 30)  # its SD card wants a power of two
    through_u_boot(report, disk, folder)
    kernel_directly(report, disk, folder)


def through_u_boot(report, disk, folder):
    u_boot = folder / "u-boot.bin"
    u_boot.write_bytes(card.get(disk, "u-boot.bin"))
    with RaspberryPi(disk, folder, "u-boot", ["-kernel", str(u_boot)]) as box:
        box.second.expect("posthorn: slot A, order A B, left A=7 B=0", 120)
        report.check("U-Boot of the Pi runs the boot script from the card", True)
        box.serial.expect("Machine model: Raspberry Pi 3 Model B", 120)
        box.serial.expect("root=PARTUUID=706f7374-02 posthorn.disk=mmc0 rauc.slot=A", 10)
        report.check("and starts the kernel of slot A with the real device tree", True)
        # It asks the API, from inside.
        box.serial.expect("Finished .*posthorn-confirm", 420)
        report.check("the box finds itself healthy", True)


def kernel_directly(report, disk, folder):
    boot = ROOT / "build/image/tree/root/boot"
    with open(disk, "rb") as file:
        signature = file.read(512)[443:439:-1].hex()  # new since the start before
    arguments = f"console=ttyAMA0,115200 root=PARTUUID={signature}-02 rauc.slot=A panic=10 {KERNEL}"
    start = ["-kernel", str(boot / "Image"), "-initrd", str(boot / "initrd.img"), "-append", arguments]
    with RaspberryPi(disk, folder, "direct", start) as box:
        report.check(f"the API answers over USB {box.wait_api(420):.0f} s after power-on", True)
        report.equal("the API says ok", box.get("/healthz", 30)["status"], "ok")

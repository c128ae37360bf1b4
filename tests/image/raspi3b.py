"""Test 5: the same image on the emulated Raspberry Pi 3B: Debian's U-Boot for the Pi from the image's own boot
partition, the real device tree, the card as an SD card, the network over USB."""


import card
from machine import Machine


class RaspberryPi(Machine):
    """Started from what its boot firmware would load: U-Boot and the device tree."""

    def __init__(self, disk, folder, name):
        self.uboot = folder / "u-boot.bin"
        self.uboot.write_bytes(card.get(disk, "u-boot.bin"))
        self.tree = folder / "rpi-3-b.dtb"
        self.tree.write_bytes(card.get(disk, "bcm2837-rpi-3-b.dtb"))
        super().__init__(disk, folder, name)

    def arguments(self, disk, block_log, simulator):
        return ["qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-kernel", str(self.uboot), "-dtb",
                str(self.tree), "-drive", f"if=sd,format=raw,file={disk}", "-netdev", self.network(simulator),
                "-usb", "-device", "usb-net,netdev=lan", *self.socket_arguments("serial"), "-serial", "chardev:serial"]


def run(report, image, folder):
    # QEMU's model of the Pi's watchdog resets as soon as it is armed.
    disk = card.make(image, folder / "card.img", kernel="module_blacklist=bcm2835_wdt")
    with open(disk, "r+b") as file:
        file.truncate(2 << 30)  # its SD card wants a power of two
    with RaspberryPi(disk, folder, "pi") as box:
        box.serial.expect("posthorn: slot A", 120)
        report.check("U-Boot of the Pi runs the boot script from the card", True)
        report.check(f"the API answers {box.wait_api(420):.0f} s after power-on", True)
        report.equal("the API says ok", box.get("/healthz", 30)["status"], "ok")

"""Two boxes on one LAN: both want to be posthorn.local, and both must be found. A second network card of each, joined
by a virtual cable without a DHCP server, is the LAN."""

import card
from machine import Machine, free_port, wait_for

AVAHI = "busctl call org.freedesktop.Avahi / org.freedesktop.Avahi.Server"
USER_CARD = "virtio-net-pci,netdev=lan,romfile="


class Neighbour(Machine):
    """`cable`: listen=ADDRESS or connect=ADDRESS; the last digits of `mac` stand in for a board's serial number."""

    def __init__(self, disk, folder, name, cable, mac):
        self.cable = cable
        self.mac = mac
        super().__init__(disk, folder, name)

    def arguments(self, disk, block_log, simulator):
        given = super().arguments(disk, block_log, simulator)
        given[given.index(USER_CARD)] += f",mac=52:54:00:00:{self.mac[:2]}:{self.mac[2:]}"
        return [*given, "-netdev", f"socket,id=shop,{self.cable}",
                "-device", f"virtio-net-pci,netdev=shop,romfile=,mac=52:54:00:01:{self.mac[:2]}:{self.mac[2:]}"]


def name_of(box):
    return box.output(f"{AVAHI} GetHostName").split('"')[1]


def address_of(box, name):
    """Where this box finds that name; avahi asks over IPv4 only what it has heard there."""
    status, output = box.shell(f"{AVAHI} ResolveHostName iisiu -- -1 -1 {name}.local 0 0")
    return output.split('"')[3] if status == 0 else None


def run(report, image, folder):
    first = card.make(image, folder / "first.img")
    second = card.make(image, folder / "second.img")
    cable = f"127.0.0.1:{free_port()}"
    with Neighbour(first, folder, "first", f"listen={cable}", "a001") as one, \
         Neighbour(second, folder, "second", f"connect={cable}", "b002") as other:
        for box in (one, other):
            box.wait_api()
            box.wait_shell()
        names = {"posthorn", "posthorn-a001"}, {"posthorn", "posthorn-b002"}
        found = wait_for("names of their own", lambda: (pair := {name_of(one), name_of(other)}) in names and pair, 300)
        report.check("one keeps the name, the other adds digits of its serial number", True, found)
        for asking, asked in ((one, other), (other, one)):
            name = name_of(asked)
            address = wait_for(f"{name}.local to be found", lambda: address_of(asking, name), 60)
            own = asked.output("ip -4 -o addr show scope global; ip -4 -o addr show scope link")
            report.check(f"{name}.local is found by the other box, at an address it has", f" {address}/" in own,
                         f"{address} in {own}")

"""A memory card to test with: a copy of the flashable image, as large as a small card, and what is read from it."""

import pathlib
import struct
import subprocess

CARD_BYTES = 1536 << 20
BOOT_OFFSET = 4 << 20


def make(image, path, settings=None, kernel="posthorn.console=hvc0"):
    """Flashes a card. settings: text of posthorn.txt; kernel: more kernel arguments."""
    subprocess.run(["cp", "--sparse=always", image, path], check=True)
    with open(path, "r+b") as card:
        card.truncate(CARD_BYTES)
    put(path, "kernel.txt", f"extra={kernel}\n".encode())
    if settings is not None:
        put(path, "posthorn.txt", settings.encode())
    return path


def put(path, name, content):
    """Writes a file of the boot partition."""
    subprocess.run(["mcopy", "-o", "-i", f"{path}@@{BOOT_OFFSET}", "-", f"::{name}"], input=content, check=True)


def get(path, name):
    return subprocess.run(["mtype", "-i", f"{path}@@{BOOT_OFFSET}", f"::{name}"], check=True,
                          stdout=subprocess.PIPE).stdout


def partitions(path):
    """First byte and length of the four partitions."""
    with open(path, "rb") as card:
        table = card.read(512)[446:510]
    entries = [struct.unpack("<II", table[16 * i + 8:16 * i + 16]) for i in range(4)]
    return [(start * 512, count * 512) for start, count in entries]


def region(path, number, out):
    """Copies one partition (1 to 4) into a file of its own."""
    start, length = partitions(path)[number - 1]
    subprocess.run(["dd", f"if={path}", f"of={out}", "bs=1M", f"skip={start >> 20}", f"count={length >> 20}",
                    "conv=sparse", "status=none"], check=True)
    return pathlib.Path(out)

"""Reads what QEMU's blklogwrites driver wrote: every write and flush of a disk, in order, in the form of the
kernel's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst)."""

import struct
from dataclasses import dataclass

MAGIC = 0x6A736677736872
SECTOR = 512
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


@dataclass
class Entry:
    offset: int  # bytes from the start of the disk
    length: int
    flags: int
    at: int  # where its data begins in the log

    @property
    def is_flush(self):
        return bool(self.flags & (FLUSH | FUA))


def entries_now(path):
    """How many entries the log has at this moment; QEMU counts them up in the first sector."""
    with open(path, "rb") as log:
        return struct.unpack("<QQQ", log.read(24))[2]


def read(path):
    entries = []
    with open(path, "rb") as log:
        magic, _, count, sector = struct.unpack("<QQQI", log.read(28))
        if magic != MAGIC or sector != SECTOR:
            raise ValueError(f"{path} is no block log")
        position = SECTOR
        for _ in range(count):
            log.seek(position)
            start, sectors, flags, _ = struct.unpack("<QQQQ", log.read(32))
            position += SECTOR
            has_data = sectors and not flags & (DISCARD | MARK)
            entries.append(Entry(start * SECTOR, sectors * SECTOR, flags, position))
            position += sectors * SECTOR if has_data else 0
    return entries


def written_outside(entries, first, length):
    """The writes that touch anything but this region."""
    return [entry for entry in entries
            if entry.length and not first <= entry.offset <= entry.offset + entry.length <= first + length]

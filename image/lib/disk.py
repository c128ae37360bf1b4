"""The slot (read-only ext4 with the kernel inside), the boot partition and the whole disk image. Nothing here
mounts anything or needs a loop device."""

import mmap
import os
import pathlib
import shutil
import struct
import tomllib
import zlib

from stage import IMAGE, ROOT, SIGNATURE, BuildError, Stage, epoch, run

SLOT_MB = 384
BOOT_MB = 96
DATA_MB = 32
SLOT_ID = "00000000-0000-4000-8000-0000000000a1"
DATA_ID = "00000000-0000-4000-8000-0000000000d1"

FIRMWARE = ("bootcode.bin", "fixup.dat", "fixup4.dat", "start.elf", "start4.elf")


def make_slot(folder, tree):
    root = tree.folder / "root"
    slot = folder / "slot.ext4"
    make_ext4(slot, SLOT_MB, SLOT_ID, "posthorn", root, "-O", "^has_journal,^metadata_csum,^metadata_csum_seed", "-i", "8192")
    fix_times(slot)
    run("e2fsck", "-fn", slot)


def make_ext4(file, megabytes, identity, label, root, *options):
    with open(file, "wb") as out:
        out.truncate(megabytes << 20)
    source = ["-d", root] if root else []
    run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", "-U", identity, "-L", label, "-E",
        f"hash_seed={identity},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0", *options, *source, file,
        env={"E2FSPROGS_FAKE_TIME": str(epoch())})


def fix_times(slot):
    """mke2fs copies the access and change times of the source folder; in the slot every file has the epoch's.
    Written straight into the inode tables: debugfs takes minutes for it. Fields as in the kernel's
    Documentation/filesystems/ext4/inodes.rst; without metadata_csum no checksum covers them."""
    stamp = epoch().to_bytes(4, "little")
    with open(slot, "r+b") as file, mmap.mmap(file.fileno(), 0) as disk:
        superblock = disk[1024:2048]
        block = 1024 << int.from_bytes(superblock[24:28], "little")
        inodes, = struct.unpack_from("<I", superblock, 0)
        per_group, = struct.unpack_from("<I", superblock, 40)
        inode_size, = struct.unpack_from("<H", superblock, 88)
        descriptor_size, = struct.unpack_from("<H", superblock, 254)
        for index in range(inodes):
            group, place = divmod(index, per_group)
            table, = struct.unpack_from("<I", disk, block + group * (descriptor_size or 32) + 8)
            inode = table * block + place * inode_size
            if disk[inode:inode + 2] == b"\0\0":
                continue
            for field in (0x08, 0x0c, 0x10, 0x90):  # accessed, changed, modified, created
                disk[inode + field:inode + field + 4] = stamp
            for field in (0x84, 0x88, 0x8c, 0x94):  # their nanoseconds
                disk[inode + field:inode + field + 4] = bytes(4)


def slot_file(order, left_a, left_b):
    """firmware/slots/slot_state.h: U-Boot's environment in one sector."""
    text = f"BOOT_A_LEFT={left_a:x}\0BOOT_B_LEFT={left_b:x}\0BOOT_ORDER={order}\0".encode()
    data = text + bytes(508 - len(text))
    return zlib.crc32(data).to_bytes(4, "little") + data


def device_trees(boards, tree):
    """The device trees of the named boards and of their sisters: a board file names one, its family shares a prefix."""
    folder = next((tree / "usr/lib").glob("linux-image-*/broadcom"))
    chips = {pathlib.Path(board["dtb"]).name.split("-")[0] for board in boards if "dtb" in board}
    return sorted(file for file in folder.glob("*.dtb") if file.name.split("-")[0] in chips)


def load_boards(names):
    boards = {}
    for file in sorted((ROOT / "board").glob("*.toml")):
        board = tomllib.loads(file.read_text())
        if board["update"] == "rauc-uboot":
            boards[file.stem] = board
    unknown = sorted(set(names) - set(boards))
    if unknown:
        raise BuildError(f"no image for {' '.join(unknown)}; there is one for: {' '.join(boards)}")
    return [board for name, board in boards.items() if not names or name in names]


def make_boot(folder, tree, boards):
    files = folder / "files"
    files.mkdir()
    for name in FIRMWARE:
        shutil.copy2(tree / "usr/lib/raspi-firmware" / name, files / name)
    shutil.copy2(tree / "usr/lib/u-boot/rpi_arm64/u-boot.bin", files / "u-boot.bin")
    for dtb in device_trees(boards, tree):
        shutil.copy2(dtb, files / dtb.name)
    shutil.copy2(IMAGE / "boot/config.txt", files / "config.txt")
    shutil.copy2(ROOT / "firmware/setup/posthorn.txt", files / "posthorn.txt")
    script = folder / "boot.cmd"
    script.write_text((IMAGE / "boot/boot.cmd").read_text().replace("@SIGNATURE@", SIGNATURE))
    stamp = {"SOURCE_DATE_EPOCH": str(epoch())}
    run("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "posthorn", "-d", script, files / "boot.scr",
        env=stamp)
    for name in ("slots.1", "slots.2"):
        (files / name).write_bytes(slot_file("A B", 7, 0))
    make_fat(folder / "boot.vfat", files)


def make_fat(file, files):
    with open(file, "wb") as out:
        out.truncate(BOOT_MB << 20)
    run("mkfs.vfat", "--invariant", "-F", "32", "-S", "512", "-s", "2", "-i", SIGNATURE, "-n", "POSTHORN", file)
    for path in sorted(files.iterdir()):
        os.utime(path, (epoch(), epoch()))
        run("mcopy", "-m", "-i", file, path, "::" + path.name, env={"TZ": "UTC"})


GENIMAGE = """image posthorn.img {{
  hdimage {{ disk-signature = 0x{signature} align = 4M }}
  partition boot {{ partition-type = 0x0c image = "boot.vfat" bootable = true }}
  partition a {{ partition-type = 0x83 image = "slot.ext4" }}
  partition b {{ partition-type = 0x83 size = {slot}M }}
  partition data {{ partition-type = 0x83 image = "data.ext4" }}
}}
"""


def make_disk(folder, boot, slot):
    parts = folder / "parts"
    parts.mkdir()
    (parts / "boot.vfat").symlink_to(boot.folder / "boot.vfat")
    (parts / "slot.ext4").symlink_to(slot.folder / "slot.ext4")
    make_ext4(parts / "data.ext4", DATA_MB, DATA_ID, "data", None, "-O", "metadata_csum_seed", "-J", "size=8")
    config = folder / "genimage.cfg"
    config.write_text(GENIMAGE.format(signature=SIGNATURE, slot=SLOT_MB))
    (folder / "empty").mkdir()
    run("genimage", "--rootpath", folder / "empty", "--tmppath", folder / "tmp", "--inputpath", parts,
        "--outputpath", folder, "--config", config)
    shutil.rmtree(folder / "tmp", ignore_errors=True)


def stages(tree, unpacked, boards):
    slot = Stage("slot", [tree.made_from], lambda folder: make_slot(folder, tree))
    names = [board["name"] for board in boards]
    boot = Stage("boot", [unpacked.made_from, IMAGE / "boot", ROOT / "firmware/setup/posthorn.txt", SIGNATURE, str(epoch()), *names],
                 lambda folder: make_boot(folder, unpacked.folder / "tree", boards))
    disk = Stage("disk", [slot.made_from, boot.made_from], lambda folder: make_disk(folder, boot, slot))
    return slot, boot, disk

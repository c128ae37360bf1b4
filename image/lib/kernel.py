"""Kernel modules and initramfs, taken from the unpacked packages without running anything of them."""

import os
import re
import shutil

from stage import IMAGE, SIGNATURE, Stage, remove, run


def version(tree):
    return os.listdir(tree / "lib" / "modules")[0]


def names(file):
    """Words of a list file; '#' begins a comment."""
    lines = (IMAGE / "initramfs" / file).read_text().splitlines()
    return [word for line in lines for word in line.split("#")[0].split()]


def closure(tree, modules):
    """Paths below lib/modules of these modules and of all that they depend on; built-in ones have none."""
    found = set()
    for module in modules:
        shown = run("modprobe", "-S", version(tree), "-d", tree, "--show-depends", module)
        found.update(re.findall(r"lib/modules/(\S+\.ko)", shown))
    return sorted(found)


def copy_modules(tree, paths, out):
    """Puts these modules below out/lib/modules and makes their index."""
    kernel = version(tree)
    for path in paths:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / "lib/modules" / path, target)
    (out / kernel).mkdir(parents=True, exist_ok=True)
    for index in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        shutil.copy2(tree / "lib/modules" / kernel / index, out / kernel / index)


def make_modules(folder, tree):
    """All modules that a box may need, with their index: by folder for drivers, so that none is forgotten."""
    kernel = version(tree)
    run("depmod", "-b", tree, kernel)
    source = tree / "lib/modules" / kernel / "kernel"
    wanted = set()
    for name in names("modules-root.txt"):
        path = source / name
        files = path.rglob("*.ko") if path.is_dir() else path.parent.glob(path.name + ".ko")
        chosen = [str(file.relative_to(tree / "lib/modules")) for file in files]
        if not chosen:
            raise ValueError(f"initramfs/modules-root.txt: the kernel has no module {name}")
        wanted.update(chosen)
    # What the chosen ones depend on comes along wherever it is.
    everything = closure(tree, sorted({os.path.basename(path)[:-3] for path in wanted}))
    out = folder / "root/usr/lib/modules"
    copy_modules(tree, sorted(wanted | set(everything)), out)
    run("depmod", "-b", folder / "root/usr", kernel)
    shutil.copy2(tree / "boot" / f"vmlinuz-{kernel}", folder / "Image")
    make_initramfs(folder, tree)


def make_initramfs(folder, tree):
    kernel = version(tree)
    root = folder / "initramfs"
    for name in ("bin", "lib/modules"):
        (root / name).mkdir(parents=True)
    shutil.copy2(tree / "bin/busybox", root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    (root / "init").write_text((IMAGE / "initramfs/init").read_text().replace("@SIGNATURE@", SIGNATURE))
    (root / "init").chmod(0o755)
    load = names("modules-boot.txt")
    copy_modules(tree, closure(tree, load), root / "lib/modules")
    (root / "modules.load").write_text("\n".join(load) + "\n")
    run("depmod", "-b", root, kernel)
    # Same bytes for same content: names in order, times and owners fixed.
    script = ("find . -exec touch -h -d @0 {} + && find . -print0 | LC_ALL=C sort -z | "
              "cpio --null -o -H newc --reproducible --owner=0:0 --quiet | zstd -19 -q -T1 >../initrd.img")
    run("sh", "-c", script, cwd=root)
    remove(root)


def stage(unpacked):
    tree = unpacked.folder / "tree"
    return Stage("kernel", [unpacked.made_from, SIGNATURE, IMAGE / "initramfs"], lambda folder: make_modules(folder, tree))

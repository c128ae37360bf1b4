"""The update file: the slot's content, signed, which RAUC writes into the slot that does not run."""

import shutil

from stage import Stage, epoch, run

COMPATIBLE = "posthorn-arm64"


def make_bundle(out, slot, version, key, level=15):
    """Makes one .raucb of a slot image. `key`: a folder of image/lib/signing.py; `level`: of the
    compression, 1 to 22."""
    content = out.parent / (out.name + ".content")
    content.mkdir()
    run("cp", "--sparse=always", slot, content / "rootfs.ext4")
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible={COMPATIBLE}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
        "[image.rootfs]\nfilename=rootfs.ext4\n")
    run("rauc", f"--cert={key / 'signer.pem'}", f"--key={key / 'signer.key'}", f"--keyring={key / 'keyring.pem'}",
        f"--mksquashfs-args=-comp zstd -Xcompression-level {level} -no-progress", "bundle", content, out,
        env={"SOURCE_DATE_EPOCH": str(epoch())})
    shutil.rmtree(content)


def stage(slot, version, key):
    return Stage("bundle", [slot.made_from, version, key / "signer.pem"],
                 lambda folder: make_bundle(folder / "posthorn.raucb", slot.folder / "slot.ext4", version, key))

"""The files that people download: image, block map, update, hashes, signature, bill of materials, Imager's list."""

import hashlib
import json
import os
import pathlib
import shutil
import time
import uuid

from stage import BUILD, IMAGE, BuildError, epoch, megabytes, remove, run, say

# Shown by Raspberry Pi Imager, 40 by 40.
ICON = "posthorn-icon.svg"


def make(disk, tree, update, version, boards):
    folder = BUILD / "release"
    remove(folder)
    folder.mkdir()
    name = f"posthorn-{version}-arm64"
    image = disk.folder / "posthorn.img"
    started = time.monotonic()
    run("bmaptool", "create", "-o", folder / f"{name}.img.bmap", image)
    packed = folder / f"{name}.img.xz"
    run("sh", "-c", f"xz -6 -T{os.cpu_count()} --stdout '{image}' >'{packed}'")
    say(f"{packed.name}: {megabytes(packed)} MB, {time.monotonic() - started:.0f} s")
    shutil.copy2(update.folder / "posthorn.raucb", folder / f"{name}.raucb")
    dump(folder / f"{name}.cdx.json", bill_of_materials(tree.folder / "packages.tsv", version))
    shutil.copy2(IMAGE / ICON, folder / ICON)
    dump(folder / "os-list.json", imager_list(packed, image, version))
    if not os.environ.get("POSTHORN_URL"):
        say("os-list.json names this folder: for publishing set POSTHORN_URL to where the files will lie")
    hashes(folder)
    sign(folder)
    for file in sorted(folder.iterdir()):
        say(f"release/{file.name}")


def dump(path, value):
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def sha256(path):
    total = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            total.update(block)
    return total.hexdigest()


def date(form="%Y-%m-%d"):
    return time.strftime(form, time.gmtime(epoch()))


def bill_of_materials(listed, version):
    """CycloneDX 1.4 of the Debian packages in the slot; purl as the package-url rules for deb say."""
    components = []
    for line in listed.read_text().splitlines():
        package, its_version, source, source_version, arch = line.split("\t")
        reference = f"pkg:deb/debian/{package}@{its_version.replace('+', '%2B').replace(':', '%3A')}?arch={arch}"
        components.append({"type": "library", "bom-ref": reference, "name": package, "version": its_version,
                           "purl": reference,
                           "properties": [{"name": "debian:source", "value": f"{source} {source_version}"}]})
    product = {"type": "firmware", "bom-ref": "posthorn", "name": "posthorn", "version": version,
               "licenses": [{"license": {"id": "GPL-3.0-or-later"}}]}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"posthorn {version} {hashlib.sha256(listed.read_bytes()).hexdigest()}")
    return {"bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1, "serialNumber": f"urn:uuid:{serial}",
            "metadata": {"timestamp": date("%Y-%m-%dT%H:%M:%SZ"), "component": product},
            "components": components,
            "dependencies": [{"ref": "posthorn", "dependsOn": [part["bom-ref"] for part in components]}]}


def imager_list(packed, image, version):
    """Raspberry Pi Imager's list, as its doc/json-schema/os-list-schema.json and doc/os_customisation_formats.md say
    (read in Nov 2026). Where the files will lie is known only to who publishes them (POSTHORN_URL); without it the
    list names the folder that they are in, for trying it out."""
    base = os.environ.get("POSTHORN_URL", "") or packed.parent.as_uri()
    base = base.rstrip("/") + "/"
    entry = {"name": f"Posthorn {version}", "description": "The shop's WhatsApp box", "icon": base + ICON,
             "url": base + packed.name,
             "extract_size": image.stat().st_size, "extract_sha256": sha256(image),
             "image_download_size": packed.stat().st_size, "image_download_sha256": sha256(packed),
             "release_date": date(),
             # The box reads posthorn.txt, none of the ways in which Imager sets other systems up.
             "init_format": "none",
             # Imager's names for families of boards: Zero 2 W is a pi3, 400 and Compute Module 4 are a pi4.
             "devices": ["pi3-64bit", "pi4-64bit"], "architecture": "armv8"}
    return {"os_list": [entry]}


def hashes(folder):
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(lines))


def sign(folder):
    """minisign over the hashes, with the release's own secret key (no password: a build has nobody to type it)."""
    key = pathlib.Path(os.environ["POSTHORN_SIGNING"]) / "minisign.key"
    if not key.exists():
        raise BuildError(f"{key} is missing: image/build --new-key makes it beside the others")
    run("minisign", "-S", "-s", key, "-x", folder / "SHA256SUMS.minisig", "-m", folder / "SHA256SUMS",
        "-t", f"posthorn {date()}")

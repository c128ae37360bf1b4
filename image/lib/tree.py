"""The box's root: Debian's packages, the kernel, our programs and settings, in one folder."""

import os
import shutil

from stage import IMAGE, Stage, epoch, run

# Wi-Fi of the boards that we name; the package has that of a hundred others.
WIFI = ("brcm/brcmfmac43430*", "brcm/brcmfmac43436*", "brcm/brcmfmac43455*", "cypress/cyfmac43430*",
        "cypress/cyfmac43455*")

# Of no use on the box, and random or dated.
REMOVED = ("var/lib/apt", "var/cache", "var/log", "var/lib/dpkg/info", "usr/lib/udev/hwdb.d",
           "usr/lib/aarch64-linux-gnu/gconv", "etc/apt", "etc/cron.daily", "etc/machine-id", "etc/hostname",
           "etc/resolv.conf", "etc/fstab", "etc/motd", "etc/issue", "etc/issue.net", "var/lib/systemd/catalog",
           "usr/lib/python3", "usr/share/perl5", "etc/.pwd.lock", "var/lib/systemd/random-seed")


def make_tree(folder, rootfs, unpacked, kernel, programs, version, signing):
    root = folder / "root"
    root.mkdir()
    run("tar", "-C", root, "--exclude=./dev/*", "-xf", rootfs.folder / "rootfs.tar")
    bill_of_materials(folder, root)
    for name in REMOVED:
        remove(root / name)
    overlay(kernel.folder / "root", root)
    overlay(programs.folder, root)
    overlay(IMAGE / "root", root)
    boot_files(root, kernel, unpacked)
    wifi_firmware(root, unpacked.folder / "tree")
    certificates(root, unpacked.folder / "tree")
    settings(root, version)
    shutil.copy2(signing / "keyring.pem", root / "etc/rauc/keyring.pem")
    users(root)
    units(root)


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()


def overlay(source, root):
    """Lays the files of a folder over the root."""
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if name.name.startswith(".made-from"):
            continue
        target = root / name
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        remove(target)
        shutil.copy2(path, target, follow_symlinks=False)
        if source == IMAGE / "root":
            target.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def boot_files(root, kernel, unpacked):
    (root / "boot/firmware").mkdir(parents=True, exist_ok=True)
    shutil.copy2(kernel.folder / "Image", root / "boot/Image")
    shutil.copy2(kernel.folder / "initrd.img", root / "boot/initrd.img")


def wifi_firmware(root, tree):
    source = tree / "lib/firmware"
    for pattern in WIFI:
        for file in sorted(source.glob(pattern)):
            target = root / "usr/lib/firmware" / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
    for name in ("regulatory.db", "regulatory.db.p7s"):
        shutil.copy2(source / (name + "-debian"), root / "usr/lib/firmware" / name)


def certificates(root, tree):
    """All of Mozilla's roots in one file. The package itself would rehash them under emulation, for a minute."""
    folder = tree / "usr/share/ca-certificates/mozilla"
    text = "".join(file.read_text() for file in sorted(folder.glob("*.crt")))
    target = root / "etc/ssl/certs/ca-certificates.crt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def settings(root, version):
    write(root / "etc/hostname", "posthorn\n")
    write(root / "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 posthorn\n::1 localhost ip6-localhost\n")
    write(root / "usr/lib/os-release", f'NAME=Posthorn\nID=posthorn\nID_LIKE=debian\nVERSION_ID={version}\n'
          f'PRETTY_NAME="Posthorn {version}"\n')
    # Empty, not absent: absent would mean "first boot" to systemd at every start.
    write(root / "etc/machine-id", "")
    # systemd never sets the clock back behind the time of this file.
    write(root / "usr/lib/clock-epoch", "")
    os.utime(root / "usr/lib/clock-epoch", (epoch(), epoch()))
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    for folder in ("data", "var/lib/posthorn", "var/lib/posthorn-system", "var/lib/systemd/timesync",
                   "var/cache", "var/log"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def write(path, text):
    remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def users(root):
    # Nobody logs in; a technician's console is asked for on the card itself (kernel.txt).
    run("systemd-sysusers", f"--root={root}")
    run("sed", "-i", "s#^root:[^:]*:#root:!*:#", root / "etc/shadow")
    # Days since 1970 of the last change: the day of the build otherwise.
    run("sed", "-i", r"s#^\([^:]*:[^:]*:\)[0-9]*:#\120000:#", root / "etc/shadow")
    for name in ("etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/.pwd.lock"):
        remove(root / name)


def units(root):
    for folder in ("etc/systemd/system", "etc/systemd/user"):
        remove(root / folder)
        (root / folder).mkdir(parents=True)
    run("systemctl", f"--root={root}", "preset-all", "--preset-mode=enable-only")
    # Pulled in by packages' own links, of no use or harmful here.
    run("systemctl", f"--root={root}", "mask", "systemd-firstboot.service", "systemd-machine-id-commit.service",
        "systemd-pstore.service", "systemd-update-utmp.service", "systemd-random-seed.service",
        "getty@tty1.service", "serial-getty@ttyAMA0.service", "serial-getty@ttyS1.service",
        "getty-static.service", "systemd-hwdb-update.service", "ldconfig.service",
        "systemd-networkd-wait-online.service")
    run("systemctl", f"--root={root}", "set-default", "multi-user.target")


def bill_of_materials(folder, root):
    """Name, version, source and architecture of every Debian package in the root, for the SBOM."""
    listed = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f",
                 "${Package}\t${Version}\t${source:Package}\t${source:Version}\t${Architecture}\n")
    (folder / "packages.tsv").write_text(listed)


def stage(rootfs, unpacked, kernel, programs, version, signing):
    inputs = [rootfs.made_from, unpacked.made_from, kernel.made_from, programs.made_from, version, str(epoch()),
              signing / "keyring.pem", IMAGE / "root"]
    return Stage("tree", inputs, lambda folder: make_tree(folder, rootfs, unpacked, kernel, programs, version, signing))

"""The root file system as a tar (Debian's packages, their scripts run under emulation), and the packages
that are only unpacked: kernel, firmware, boot loader."""

import os
import pathlib
import platform
import shutil

from stage import ROOT, BuildError, Stage, packages, run, say

ARCH = "arm64"
# A fixed day, not the commit's: a cached root file system then equals a fresh one.
PACKAGES_EPOCH = "1767225600"

# Nobody reads these on the box; copyright files stay, the licences ask for them.
NOT_INSTALLED = ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/i18n/*",
                 "/usr/share/lintian/*", "/usr/share/bug/*", "/usr/share/doc/*", "/usr/share/bash-completion/*"]


def debian_sources():
    """The package source of this machine: what the image is made of comes from where the tools came from."""
    return pathlib.Path(run(ROOT / "toolchains/debian-source").strip())


def with_component(sources, component):
    """A source's text with `component` in every entry, whichever of apt's two forms it has."""
    lines = [line if component in line.split() or not line.startswith(("Components:", "deb ")) else f"{line} {component}"
             for line in sources.splitlines()]
    return "\n".join(lines) + "\n"


def archive_state():
    """Changes when the archive's index that this machine knows changes (security updates)."""
    lists = sorted(pathlib.Path("/var/lib/apt/lists").glob("*bookworm*_InRelease"))
    return " ".join(run("sha256sum", *lists).split()[::2]) if lists else "unknown"


def enable_emulation():
    """Lets this machine run arm64 programs. Only root can register that; once registered anybody may use it."""
    if platform.machine() == "aarch64" or shutil.which("arch-test") and not_failing("arch-test", ARCH):
        return
    if os.geteuid() == 0:
        not_failing("update-binfmts", "--enable", "qemu-aarch64")
    if not not_failing("arch-test", ARCH):
        raise BuildError("this machine cannot run arm64 programs: as root, once: update-binfmts --enable qemu-aarch64")


def not_failing(*command):
    try:
        run(*command)
        return True
    except (BuildError, FileNotFoundError):
        return False


def mmdebstrap(out, names, variant, sources, *options):
    # Never chrootless: with a foreign architecture it runs package scripts against this machine itself.
    mode = os.environ.get("POSTHORN_MMDEBSTRAP_MODE", "root")
    run("mmdebstrap", f"--mode={mode}", f"--arch={ARCH}", f"--variant={variant}", "--include=" + ",".join(names),
        "--aptopt=APT::Install-Recommends \"false\"", *options, "bookworm", out, sources,
        env={"SOURCE_DATE_EPOCH": PACKAGES_EPOCH}, log=str(out) + ".log")


def make_rootfs(folder):
    enable_emulation()
    say("root file system: several minutes, because Debian's installation scripts run under emulation")
    options = ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
    options += [f"--dpkgopt=path-exclude={pattern}" for pattern in NOT_INSTALLED]
    options += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    mmdebstrap(folder / "rootfs.tar", packages("rootfs"), "essential", debian_sources(), *options)


def make_unpacked(folder):
    # Raspberry Pi's boot firmware and the Wi-Fi firmware are in non-free-firmware.
    own = debian_sources()
    sources = folder / own.name
    sources.write_text(with_component(own.read_text(), "non-free-firmware"))
    mmdebstrap(folder / "tree", packages("boot"), "extract", sources)


def stages():
    state = [archive_state(), debian_sources().read_text()]
    rootfs = Stage("rootfs", [*packages("rootfs"), *state], make_rootfs)
    unpacked = Stage("unpacked", [*packages("boot"), *state], make_unpacked)
    return rootfs, unpacked

"""Our programs for the board, and their units, users and default files: what the .deb installs too."""

import os

from stage import ROOT, BuildError, Stage, epoch, run, say

TARGETS = ("posthornd", "posthornctl", "posthorn-setup", "posthorn-led", "posthorn-request", "posthorn-slots",
           "posthorn-reach", "posthorn-rescue")


def make_programs(folder):
    run(ROOT / "toolchains/make-sysroot", "arm64")
    build = ROOT / "build/arm64"
    environment = {"SOURCE_DATE_EPOCH": str(epoch())}
    say("the page in the browser, programs for arm64")
    run(ROOT / "firmware/page/build")
    run("cmake", "--preset", "arm64", "-DPOSTHORN_TESTS=OFF", "-DPOSTHORN_BENCH=OFF", cwd=ROOT, env=environment)
    run("cmake", "--build", build, "--target", *TARGETS, "-j", str(os.cpu_count()), env=environment)
    # "box" is what the .deb has, "image" what only the image needs.
    for component in ("box", "image"):
        run("cmake", "--install", build, "--prefix", "/usr", "--strip", "--component", component,
            env={"DESTDIR": str(folder)})


def stage():
    parts = ["CMakeLists.txt", "CMakePresets.json", "src", "include", "firmware", "toolchains", "board"]
    missing = [part for part in parts if not (ROOT / part).exists()]
    if missing:
        raise BuildError(f"not in the source tree: {missing}")
    return Stage("programs", [str(epoch()), *[ROOT / part for part in parts]], make_programs)

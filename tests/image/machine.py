"""A box in the emulator: QEMU's `virt` board started through U-Boot from a disk image, as a board starts from its
card. It reaches nothing but what is forwarded here, all on the loopback of this machine."""

import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

UBOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
# Where the guest finds the simulator: inside the guest a relay listens on its own loopback, because the daemon
# speaks unencrypted to loopback only; QEMU carries it from SIMULATOR_GUEST to the host.
SIMULATOR_GUEST = "10.0.2.100"
SIMULATOR_PORT = 7000
# Everything takes this many times longer on a busy machine.
PATIENCE = float(os.environ.get("POSTHORN_PATIENCE", "1"))


class Failure(Exception):
    """The box did not do in time what it must; the text says what."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, look, seconds):
    """The first truthy answer of look(), asked again and again; errors of a box that is not up yet count as no."""
    end = time.monotonic() + seconds * PATIENCE
    problem = None
    while time.monotonic() < end:
        try:
            found = look()
            if found:
                return found
        except (OSError, urllib.error.URLError, json.JSONDecodeError, Failure) as error:
            problem = error
        time.sleep(0.2)
    raise Failure(f"waited {seconds * PATIENCE:.0f} s in vain for {what}" + (f": {problem}" if problem else ""))


class Lines:
    """A console on a Unix socket: everything that came is kept and can be waited for."""

    def __init__(self, path, log):
        self.text = ""
        self.changed = threading.Condition()
        self.log = open(log, "ab")
        self.socket = socket.socket(socket.AF_UNIX)
        wait_for(f"QEMU's socket {path}", lambda: self.socket.connect(str(path)) is None, 10)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                return
            self.log.write(piece)
            self.log.flush()
            with self.changed:
                self.text += piece.decode(errors="replace")
                self.changed.notify_all()

    def expect(self, pattern, seconds, start=0):
        """The match of a pattern in what came since `start`."""
        end = time.monotonic() + seconds * PATIENCE
        with self.changed:
            while True:
                found = re.compile(pattern, re.M).search(self.text, start)
                if found:
                    return found
                left = end - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    tail = self.text[max(start, len(self.text) - 1500):]
                    raise Failure(f"no {pattern!r} in {seconds * PATIENCE:.0f} s; the last was:\n{tail}")

    def send(self, text):
        self.socket.sendall(text.encode())


class Machine:
    """One power-on. `disk` is written to; with `block_log` every write also goes into that file, in order."""

    # With ACPI, QEMU leaves out the GPIO controller when there is firmware.
    board = "virt,acpi=off"

    def __init__(self, disk, folder, name, clock=None, block_log=None, simulator=None, more=()):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.ports = {80: free_port(), 443: free_port()}
        self.commands = 0
        self.shell_console = None
        self.qmp_socket = None
        self.started = time.monotonic()
        arguments = [*self.arguments(disk, block_log, simulator), "-qmp", f"unix:{self.path('qmp')},server=on,wait=off", *more]
        if clock:
            arguments += ["-rtc", f"base={clock}"]
        self.errors = open(self.path("qemu.log"), "w+")
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        try:
            self.serial = Lines(self.path("serial.sock"), self.path("serial.log"))
        except Failure:
            self.errors.seek(0)
            raise Failure(f"QEMU did not start: {self.errors.read()}") from None

    def arguments(self, disk, block_log, simulator):
        return ["qemu-system-aarch64", "-M", self.board, "-cpu", "cortex-a53", "-smp", "2", "-m", "1024", "-display", "none",
                "-nodefaults", "-bios", UBOOT, *self.disk_arguments(disk, block_log),
                "-device", "virtio-blk-pci,drive=card",
                "-netdev", self.network(simulator), "-device", "virtio-net-pci,netdev=lan,romfile=",
                "-device", "virtio-rng-pci", "-device", "i6300esb", "-action", "watchdog=reset",
                "-device", "qemu-xhci,id=usb",
                *self.socket_arguments("serial"), "-serial", "chardev:serial",
                *self.socket_arguments("shell"), "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell"]

    def path(self, what):
        return self.folder / f"{self.name}.{what}"

    def socket_arguments(self, name):
        path = self.path(name + ".sock")
        path.unlink(missing_ok=True)
        return ["-chardev", f"socket,id={name},path={path},server=on,wait=off"]

    @staticmethod
    def disk_arguments(disk, block_log):
        card = ["-blockdev", f"driver=file,filename={disk},node-name=file,cache.no-flush=on"]
        if not block_log:
            return [*card, "-blockdev", "driver=raw,file=file,node-name=card"]
        return [*card, "-blockdev", f"driver=file,filename={block_log},node-name=log",
                "-blockdev", "driver=blklogwrites,file=file,log=log,node-name=card,log-sector-size=512,"
                "log-super-update-interval=1"]

    def network(self, simulator):
        lan = "user,id=lan,restrict=on"
        for guest, host in self.ports.items():
            lan += f",hostfwd=tcp:127.0.0.1:{host}-:{guest}"
        if simulator:
            relay = pathlib.Path(__file__).with_name("relay.py")
            lan += f",guestfwd=tcp:{SIMULATOR_GUEST}:{SIMULATOR_PORT}-cmd:{sys.executable} {relay} {simulator}"
        return lan

    # The network side ------------------------------------------------------------------------

    def get(self, path, timeout=10):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[80]}{path}", timeout=timeout) as answer:
            return json.loads(answer.read())

    def wait_api(self, seconds=240):
        """Seconds since power-on until the API answered."""
        wait_for("the API", lambda: self.alive() and self.get("/healthz", 3), seconds)
        return time.monotonic() - self.started

    def answers_with_tls(self):
        """HTTPS on 443 with the box's own certificate, which nobody else has signed."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with urllib.request.urlopen(f"https://127.0.0.1:{self.ports[443]}/healthz", timeout=20, context=context) as answer:
            return json.loads(answer.read())["status"] == "ok"

    def alive(self):
        if self.process.poll() is not None:
            self.errors.seek(0)
            raise SystemExit(f"{self.name}: QEMU ended by itself: {self.errors.read()}")
        return True

    # The technician's console ----------------------------------------------------------------

    def shell(self, command, seconds=60):
        """Runs a command as root in the box and gives (status, output)."""
        if self.shell_console is None:
            self.shell_console = Lines(self.path("shell.sock"), self.path("shell.log"))
        self.commands += 1
        number = self.commands
        start = len(self.shell_console.text)
        # The marks are put together by the shell, so that their echo does not count as the answer.
        self.shell_console.send(f"stty -echo; PS1=; echo \"@<\"\"{number}\"; {command}\necho \"@>\"\"{number} $?\"\n")
        end = self.shell_console.expect(rf"@>{number} (\d+)", seconds, start)
        text = self.shell_console.text[start:end.start()].replace("\r", "")
        return int(end[1]), text.split(f"@<{number}\n", 1)[-1].removesuffix("# ").rstrip("\n")

    def output(self, command, seconds=60):
        return self.shell(command, seconds)[1].strip()

    def wait_shell(self, seconds=240):
        wait_for("a shell", lambda: self.shell("true", 5)[0] == 0, seconds)

    # The power ------------------------------------------------------------------------------

    def qmp(self, command, **arguments):
        """One command to QEMU itself."""
        if self.qmp_socket is None:
            self.qmp_socket = socket.socket(socket.AF_UNIX)
            self.qmp_socket.connect(str(self.path("qmp")))
            self.qmp_file = self.qmp_socket.makefile("rw")
            self.qmp_file.readline()
            self.qmp("qmp_capabilities")
        self.qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if "error" in answer:
                raise Failure(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def cut_power(self):
        self.process.kill()
        self.process.wait()

    def power_off(self, seconds=90):
        """Ends it in an orderly way and waits for that."""
        self.shell_console.send("systemctl poweroff\n")
        try:
            self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.cut_power()
            raise Failure("did not power off") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.cut_power()

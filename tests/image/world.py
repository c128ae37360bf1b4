"""What the box talks to: the simulator with a Baileys customer, and the till that posts."""

import json
import subprocess
import urllib.error
import urllib.request

from machine import SIMULATOR_GUEST, SIMULATOR_PORT, Failure, wait_for


class World:
    """posthorn-sim and the customer, in a Node process (tests/image/customer.mjs)."""

    def __init__(self, root):
        # `run` brings Node and the packages; node --test is what it does by default, so it is told otherwise.
        self.process = subprocess.Popen([root / "tests/interop/run", "--plain", root / "tests/image/customer.mjs"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failure("the simulator or the customer did not start")
        self.hello = json.loads(line)
        self.port = int(self.hello["url"].split(":")[2].split("/")[0])

    def ask(self, verb, **more):
        self.process.stdin.write(json.dumps({"do": verb, **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def configuration(self):
        """posthorn.toml for a box that finds the simulator on its own loopback."""
        path = self.hello["url"].split("/", 3)[3]
        return (f'[whatsapp]\nurl = "ws://127.0.0.1:{SIMULATOR_PORT}/{path}"\n'
                f'noise_root_key = "{self.hello["rootKey"]}"\n[api]\nport = 80\n'
                '[throttle]\nquiet_from = "00:00"\nquiet_to = "00:00"\nunpaced_for_benchmarks = true\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def introduce(box, world):
    """Lets the daemon of a started box talk to the simulator: by a configuration in /run, gone at the next start."""
    relay = (f"systemd-run -q --unit=simulator --socket-property=ListenStream=127.0.0.1:{SIMULATOR_PORT} "
             f"/lib/systemd/systemd-socket-proxyd {SIMULATOR_GUEST}:{SIMULATOR_PORT}")
    status, output = box.shell(relay)
    if status != 0:
        raise Failure(f"no relay in the box: {output}")
    text = world.configuration()
    status, output = box.shell(f"mkdir -p /run/posthorn && cat >/run/posthorn/posthorn.toml <<'EOT'\n{text}EOT\n"
                               "chmod 0644 /run/posthorn/posthorn.toml && systemctl restart posthornd", 90)
    if status != 0:
        raise Failure(f"posthornd did not restart: {output} {box.output('journalctl -o cat -n 20 -u posthornd')}")
    box.wait_api(90)


class Till:
    """Posts as a POS does, over the forwarded port."""

    def __init__(self, box):
        self.box = box
        access = json.loads(box.output("cat /var/lib/posthorn/access.json"))
        self.account, self.token = access["idInstance"], access["apiTokenInstance"]
        self.care = access["careToken"]

    def call(self, method, body=None, timeout=30):
        url = f"http://127.0.0.1:{self.box.ports[80]}/waInstance{self.account}/{method}/{self.care}"
        request = urllib.request.Request(url, data=json.dumps(body).encode() if body is not None else None,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read())

    def link(self, world):
        def code():
            answer = self.call("qr")
            return answer.get("qrText") if answer["type"] == "qrCode" else None

        linked = world.ask("scan", qr=wait_for("a QR code", code, 90))
        if "error" in linked:
            raise Failure(f"linking: {linked['error']}")
        self.wait_online()

    def wait_online(self):
        wait_for("the box to be linked and online", lambda: self.box.get(f"/healthz/{self.token}")["link"] == "online", 120)

    def send(self, phone, text):
        return self.call("sendMessage", {"chatId": f"{phone}@c.us", "message": text})["idMessage"]

"""What the fleet's tests stand on: certificates, Mosquitto, a head office, boxes with a pretend WhatsApp. Loopback only."""

import itertools
import json
import os
import pathlib
import queue
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORG = "bakery"
PATIENCE = float(os.environ.get("POSTHORN_PATIENCE", "1"))


def wait_for(what, look, within=20.0):
    """The first truthy answer of look(), asked every 30 ms."""
    end = time.monotonic() + within * PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"waited {within * PATIENCE:.0f} s in vain for {what}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def openssl(*arguments, text=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout


class Authority:
    """A fleet's own: P-256, made for one test run."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key, self.file = folder / "ca.key", folder / "ca.pem"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.file, "-days", "30", "-subj", "/CN=Fleet")
        self.serials = itertools.count(2)

    def sign(self, request, days=10, server=False):
        """A certificate (PEM) for a request (PEM); days < 0: one that has ended."""
        serial = next(self.serials)
        extensions = self.folder / f"ext{serial}"
        extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n" if server else "extendedKeyUsage=clientAuth\n")
        wanted = self.folder / f"csr{serial}"
        wanted.write_text(request)
        out = self.folder / f"crt{serial}"
        if days >= 0:
            openssl("x509", "-req", "-in", wanted, "-CA", self.file, "-CAkey", self.key, "-set_serial", serial, "-days", days,
                    "-extfile", extensions, "-out", out)
        else:
            index, config = self.folder / f"index{serial}", self.folder / f"conf{serial}"
            index.write_text("")
            config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\nnew_certs_dir={self.folder}\nrand_serial=yes\ndefault_md=sha256\n"
                              "policy=p\n[p]\ncommonName=supplied\n")
            past = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 86400 * 9))
            ended = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 86400))
            openssl("ca", "-batch", "-config", config, "-in", wanted, "-cert", self.file, "-keyfile", self.key, "-startdate", past,
                    "-enddate", ended, "-out", out, "-notext")
        return out.read_text()

    def pair(self, name, server=False, days=120):
        """Files of a key and a certificate."""
        key = self.folder / f"{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        request = openssl("req", "-new", "-key", key, "-subj", f"/CN={name}")
        certificate = self.folder / f"{name}.pem"
        certificate.write_text(self.sign(request, days=days, server=server))
        return certificate, key


class Broker:
    """Mosquitto with the configuration that the README shows, on a port of its own."""

    def __init__(self, folder, authority, name="broker"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        certificate, key = authority.pair(name, server=True)
        shown = (ROOT / "firmware/fleet/mosquitto.conf").read_text()
        config = (shown.replace("listener 8883", f"listener {self.port} 127.0.0.1")
                  .replace("/etc/mosquitto/posthorn/ca.pem", str(authority.file))
                  .replace("/etc/mosquitto/posthorn/server.pem", str(certificate))
                  .replace("/etc/mosquitto/posthorn/server.key", str(key))
                  .replace("/etc/mosquitto/posthorn/acl", str(folder / "acl"))
                  .replace("/var/lib/mosquitto/", f"{folder}/"))
        (folder / "acl").write_text((ROOT / "firmware/fleet/acl").read_text())
        (folder / "acl").chmod(0o600)
        # Run by root in a container it would change to a user who may not read these files.
        (folder / "mosquitto.conf").write_text(config + ("user root\n" if os.geteuid() == 0 else ""))
        self.process = None
        self.start()

    def start(self):
        self.log = open(self.folder / "broker.log", "a")
        self.process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self.folder / "mosquitto.conf"], stdout=self.log, stderr=self.log)
        wait_for("the broker", self.listens)

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("mosquitto ended:\n" + (self.folder / "broker.log").read_text()[-2000:])
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


class HeadOffice:
    """Hears everything, keeps what it heard, sends commands."""

    def __init__(self, broker, authority, name="head-office", topics=f"posthorn/v1/{ORG}/#"):
        self.topics = topics
        self.lock = threading.Lock()
        self.messages = []  # (topic, payload, seq, retained)
        self.last = {}
        self.heard = queue.Queue()
        certificate, key = authority.folder / f"{name}.pem", authority.folder / f"{name}.key"
        if not certificate.exists():
            authority.pair(name)
        self.client = mqtt.Client(client_id=name, protocol=mqtt.MQTTv5)
        self.client.tls_set(ca_certs=str(authority.file), certfile=str(certificate), keyfile=str(key), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_connect = self.on_connect
        self.client.on_message = self.on_message
        self.client.reconnect_delay_set(1, 1)
        self.ready = threading.Event()
        self.client.on_subscribe = lambda *_: self.ready.set()
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self.client.connect("127.0.0.1", broker.port, 20, clean_start=False, properties=properties)
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        assert self.ready.wait(10 * PATIENCE), "the head office cannot subscribe"

    def run(self):
        """paho 1.6.1's own thread ends when TLS breaks off while it connects again."""
        while not self.over:
            try:
                self.client.loop_forever(retry_first_connection=True)
            except OSError:
                time.sleep(0.3)
                try:
                    self.client.reconnect()
                except OSError:
                    pass

    def on_connect(self, client, *_):
        client.subscribe((self.topics, SubscribeOptions(qos=1)))

    def on_message(self, _client, _user, message):
        pairs = dict(getattr(message.properties, "UserProperty", []))
        correlation = getattr(message.properties, "CorrelationData", None)
        with self.lock:
            seq = int(pairs["seq"]) if "seq" in pairs else None
            self.messages.append((message.topic, message.payload, seq, message.retain, correlation))
            self.last[message.topic] = message.payload

    def json(self, box, tail):
        payload = self.last.get(f"posthorn/v1/{ORG}/{box}/{tail}")
        return json.loads(payload) if payload else None

    def all(self, box, tail):
        """Every live payload of topics that begin so."""
        prefix = f"posthorn/v1/{ORG}/{box}/{tail}"
        with self.lock:
            there = list(self.messages)
        return [(topic[len(prefix):], json.loads(payload), seq) for topic, payload, seq, *_ in there if topic.startswith(prefix) and payload]

    def send(self, box, command, retain=False, ident=None, correlation=None):
        properties = Properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = 3600
        if correlation:
            properties.CorrelationData = correlation
        payload = command if isinstance(command, (bytes, str)) else json.dumps(command)
        ident = ident or (command.get("key", "x") if isinstance(command, dict) else "x")
        # Its own line too has to come back after the broker was killed.
        wait_for("the head office's line", self.client.is_connected)
        self.client.publish(f"posthorn/v1/{ORG}/{box}/cmd/{ident}", payload, qos=1, retain=retain, properties=properties).wait_for_publish(10)

    def replies(self, box, key):
        return [body for _, body, _ in self.all(box, "reply/") if body.get("key") == key]

    def ask(self, box, what, key, within=20.0, **more):
        """Sends a command and gives its first reply after that."""
        before = len(self.replies(box, key))
        self.send(box, {"do": what, "key": key, **more})
        return wait_for(f"the reply to {what}", lambda: self.replies(box, key)[before:], within)[0]

    def gaps(self, box, first, last):
        """Numbers first..last that were neither published nor named in a gap."""
        there = set()
        for kind, body, seq in self.all(box, "event/"):
            if kind == "gap":
                there.update(range(body["gap"]["from"], body["gap"]["to"] + 1))
            else:
                there.add(seq)
        return [n for n in range(first, last + 1) if n not in there]

    def stop(self):
        self.over = True
        self.client.disconnect()
        self.thread.join(5)


def call(url, method="GET", body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=40) as answer:
        text = answer.read()
        return json.loads(text) if text else None


class Programs:
    def __init__(self, build):
        build = pathlib.Path(build).resolve()
        self.daemon = build / "firmware/daemon/posthornd"
        self.sim = build / "firmware/simulator/posthorn-sim"
        self.fleet = build / "firmware/fleet/posthorn-fleet"


class Child:
    """A program that says one JSON line when it is ready."""

    def __init__(self, log, *command, env=None):
        self.log = log
        self.process = subprocess.Popen([str(one) for one in command], stdout=subprocess.PIPE, stderr=open(log, "a"), text=True,
                                        env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
        self.hello = json.loads(line)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is not None:
            return self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.process.args[0]} did not end") from None


class Simulator:
    def __init__(self, programs, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.child = Child(folder / "sim.log", programs.sim, "--run-for", "300")
        self.hello = self.child.hello

    def control(self, method, path, body=None):
        return call(self.hello["control"] + path, method, body)

    def stop(self):
        self.child.stop()


class Box:
    """posthornd and posthorn-fleet, as on one board."""

    def __init__(self, programs, folder, simulator, broker, authority, more="", certificate=None, name=None):
        self.programs, self.folder, self.simulator, self.broker = programs, folder, simulator, broker
        folder.mkdir(parents=True, exist_ok=True)
        self.state = folder / "fleet"
        self.state.mkdir(exist_ok=True)
        self.name = name or f"box-{folder.name}"
        port = free_port()
        (folder / "posthorn.toml").write_text(
            f'data_dir = "{folder}/data"\n[whatsapp]\nurl = "{simulator.hello["url"]}"\n'
            f'noise_root_key = "{simulator.hello["noise_root_key"]}"\n[api]\nlisten = "127.0.0.1"\nport = {port}\n'
            '[throttle]\nquiet_from = "00:00"\nquiet_to = "00:00"\nunpaced_for_benchmarks = true\n[log]\nlevel = "info"\n')
        if certificate is None:
            certificate = authority.pair(self.name)
        (self.state / "certificate.pem").write_text(certificate[0].read_text())
        (self.state / "key.pem").write_text(certificate[1].read_text())
        (self.state / "ca.pem").write_text(authority.file.read_text())
        (folder / "fleet.toml").write_text(
            f'[fleet]\norg = "{ORG}"\n[broker]\nhost = "127.0.0.1"\nport = {broker.port}\nkeep_alive_s = 5\nwill_delay_s = 1\nspread_s = 1\n'
            f'[state]\npoll_s = 1\n{more}')
        self.daemon = self.agent = None

    def start_daemon(self):
        self.daemon = Child(self.folder / "daemon.log", self.programs.daemon, "--config", self.folder / "posthorn.toml")
        self.url = self.daemon.hello["url"]
        self.access = json.loads((self.folder / "data/access.json").read_text())
        return self

    def start_agent(self, *more, env=None):
        self.agent = Child(self.folder / "agent.log", self.programs.fleet, "--config", self.folder / "fleet.toml", "--state", self.state,
                           "--access", self.folder / "data/access.json", *more, env=env)
        return self

    def start(self):
        return self.start_daemon().start_agent()

    def api(self, method, name, body=None, query=""):
        path = f"/waInstance{self.access['idInstance']}/{name}/{self.access['apiTokenInstance']}"
        for _ in range(5):
            try:
                return call(self.url + path + query, method, body)
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    raise AssertionError(f"{name}: {error.code} {error.read().decode()}") from None
                time.sleep(1)
        raise AssertionError(f"{name}: too many requests")

    def health(self):
        return call(self.url + "/healthz", headers={"Authorization": "Bearer " + self.access["apiTokenInstance"]})

    def link(self):
        answer = wait_for("a QR code", lambda: (a := self.api("GET", "qr"))["type"] == "qrCode" and a)
        self.phone = self.simulator.control("POST", "/v1/scan", {"qr": answer["qrText"]})["phone"]
        wait_for("the box to be online", lambda: self.health()["link"] == "online")
        return self

    def customer(self, name="Anna"):
        return self.simulator.control("POST", "/v1/accounts", {"name": name})["phone"]

    def write_in(self, customer, text):
        self.simulator.control("POST", f"/v1/peers/{customer}/send", {"to": self.phone, "text": text})

    def received_by(self, customer):
        return self.simulator.control("GET", f"/v1/peers/{customer}/inbox?after=0")["messages"]

    def reader(self):
        return next((one for one in self.api("GET", "getReaders") if one["reader"] == "fleet"), None)

    def newest(self):
        one = self.reader()
        return one["position"] + one["behind"]

    def resident(self):
        """Of the agent: kB resident, kB private."""
        text = pathlib.Path(f"/proc/{self.agent.process.pid}/smaps_rollup").read_text()
        value = lambda key: int(next(line for line in text.splitlines() if line.startswith(key + ":")).split()[1])
        return value("Rss"), value("Private_Clean") + value("Private_Dirty")

    def stop(self):
        for child in (self.agent, self.daemon):
            if child and child.process.poll() is None:
                child.stop()

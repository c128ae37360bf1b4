"""What firmware/demo shows: demo.py BUILD_FOLDER [--keep]. Every step that fails ends it with status 1."""

import hashlib
import http.server
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

RECEIPT = "Bakery Posthorn\n2 x Bretzel   3.60\n1 x Kaffee    2.80\nTotal EUR     6.40\nThank you! Reply YES to get receipts here."
ANSWER = "YES, thank you"
SECOND_ANSWER = "Are you open on Sunday?"
PRINTED = b"\x1b@\x1ba\x01Bakery Posthorn\n\x1ba\x00Bretzel              1,80\nTOTAL EUR            1,80\n"
CUT = b"\x1dV\x42\x00"
STARTED = time.monotonic()


def say(text):
    print(f"{time.monotonic() - STARTED:6.2f} s  {text}", flush=True)


def fail(text):
    raise SystemExit(f"demo failed: {text}")


def wait_for(what, look, seconds=30.0):
    """The first truthy answer of look(); it is asked again every 50 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    fail(f"waited {seconds:.0f} s in vain for {what}")


def ask(method, url, body=None):
    request = urllib.request.Request(url, method=method)
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, data, timeout=40) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        fail(f"{method} {url.split('/')[-2]}: {error.code} {error.read().decode()}")
    return json.loads(text) if text else None


class Webhook:
    """The shop's own server: keeps what is posted to it."""

    def __init__(self):
        received = self.received = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def text(self, wanted):
        for body in list(self.received):
            if body.get("typeWebhook") != "incomingMessageReceived":
                continue
            message = body["messageData"]
            text = message.get("textMessageData", {}).get("textMessage")
            text = text or message.get("extendedTextMessageData", {}).get("text")
            if text == wanted:
                return body
        return None


class Printer:
    """A receipt printer on the network: paper comes out of it."""

    def __init__(self):
        self.paper = b""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.server.accept()
            with connection:
                while piece := connection.recv(65536):
                    self.paper += piece


class Demo:
    def __init__(self, build, keep):
        self.build = pathlib.Path(build).resolve()
        self.keep = keep
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posthorn-demo-"))
        self.children = []

    def start(self, program, *arguments):
        """Starts one of our programs; its first line says where it is."""
        log = open(self.folder / (pathlib.Path(program).name + ".log"), "w")
        child = subprocess.Popen([self.build / program, *arguments], stdout=subprocess.PIPE, stderr=log, text=True)
        self.children.append(child)
        line = child.stdout.readline()
        if not line:
            log.flush()
            fail(f"{program} did not start:\n{pathlib.Path(log.name).read_text()[-2000:]}")
        return json.loads(line)

    def stop(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                fail(f"{child.args[0]} did not end")
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, method, path, body=None):
        return ask(method, self.sim["control"] + path, body)

    def api(self, method, name, body=None, tail="", query=""):
        url = f"{self.box['url']}/waInstance{self.access['idInstance']}/{name}/{self.access['apiTokenInstance']}"
        return ask(method, url + tail + query, body)

    def journal(self, match):
        return self.control("GET", "/v1/journal?tag=" + match)["entries"]

    def events(self):
        return [entry["event"] for entry in self.api("GET", "watchEvents", query="?after=0")["events"]]

    def status_of(self, message_id, status):
        for event in self.events():
            if event["typeWebhook"] == "outgoingMessageStatus" and event["idMessage"] == message_id:
                if event["status"] == status:
                    return event
        return None

    # The steps ------------------------------------------------------------------------------

    def start_everything(self):
        run_for = "86400" if self.keep else "300"
        self.sim = self.start("firmware/simulator/posthorn-sim", "--run-for", run_for)
        say(f"posthorn-sim, our WhatsApp stand-in, listens at {self.sim['url']}")
        self.webhook = Webhook()
        self.printer = Printer()
        config = self.folder / "posthorn.toml"
        config.write_text(
            f'data_dir = "{self.folder}/data"\n'
            f'[whatsapp]\nurl = "{self.sim["url"]}"\nnoise_root_key = "{self.sim["noise_root_key"]}"\n'
            'media_insecure_hosts = ["127.0.0.1"]\n'
            '[api]\nlisten = "127.0.0.1"\nport = 0\n'
            '[throttle]\nquiet_from = "00:00"\nquiet_to = "00:00"\n'
            f'[receipts]\nshop = "Bakery Posthorn"\n[printer.1]\nlisten = 0\nforward = "127.0.0.1:{self.printer.port}"\nqr = "native"\n'
        )
        self.box = self.start("firmware/daemon/posthornd", "--config", str(config))
        self.access = json.loads((self.folder / "data/access.json").read_text())
        say(f"posthornd, the box, answers at {self.box['url']}")

    def link(self):
        ctl = [self.build / "firmware/ctl/posthornctl", "--access", self.folder / "data/access.json"]
        qr = subprocess.run([*ctl, "pair", "--text", "--wait", "20"], capture_output=True, text=True, check=False)
        if qr.returncode != 0:
            fail(qr.stderr)
        self.qr = qr.stdout.strip()
        say("the box shows its QR code; the shop's phone scans it")
        if self.keep:
            picture = subprocess.run(["qrencode", "-t", "UTF8", self.qr], capture_output=True, text=True) if shutil.which("qrencode") else None
            print(picture.stdout if picture and picture.returncode == 0 else self.qr)
        linked = self.control("POST", "/v1/scan", {"qr": self.qr})
        wait_for("the box to log in", lambda: self.api("GET", "getStateInstance")["stateInstance"] == "authorized" or time.sleep(0.7))
        self.shop = linked["phone"]
        say(f"linked as {linked['device']} and logged in")

    def send_receipt(self):
        customer = self.control("POST", "/v1/accounts", {"name": "Anna Customer"})
        self.customer = customer["phone"]
        self.control("POST", f"/v1/peers/{self.customer}/do", {"verb": "script", "read_after": 300})
        # Anna wrote before, so the receipt is a reply and need not wait for a first contact's pace.
        self.control("POST", f"/v1/peers/{self.customer}/send", {"to": self.shop, "text": "Could I have a receipt?"})
        wait_for("Anna's question", lambda: [e for e in self.events() if e["typeWebhook"] == "incomingMessageReceived"])
        posted = time.monotonic()
        message_id = self.api("POST", "sendMessage", {"chatId": f"{self.customer}@c.us", "message": RECEIPT})["idMessage"]
        say(f"accepted     POST sendMessage -> {message_id}")
        say(f"on disk      before the 200, {1000 * (time.monotonic() - posted):.0f} ms after the POST")

        def stanza():
            for entry in self.journal("message"):
                node = entry["node"]
                if entry["direction"] == "in" and node[1].get("id") == message_id:
                    return entry
            return None

        entry = wait_for("the message on the wire", stanza)
        say("paced        the throttle let it go")
        participants = next(child for child in entry["node"][2] if child[0] == "participants")
        say(f"encrypted    for {len(participants[2])} devices")
        sent = wait_for("the server's ack", lambda: self.status_of(message_id, "sent"))
        say(f"server ack   {sent['typeWebhook']}: sent")
        wait_for("the delivery receipt", lambda: self.status_of(message_id, "delivered"))
        say("delivered    two ticks")
        wait_for("the read receipt", lambda: self.status_of(message_id, "read"))
        say("read         blue ticks")
        inbox = self.control("GET", f"/v1/peers/{self.customer}/inbox?after=0")["messages"]
        texts = [message["text"] for message in inbox if message["id"] == message_id]
        if texts != [RECEIPT]:
            fail(f"the customer's phone shows {texts}")
        say("the customer's phone decrypted:")
        for line in RECEIPT.splitlines():
            print("          | " + line)

    def receive_answers(self):
        self.api("POST", "setSettings", {"webhookUrl": self.webhook.url})
        self.control("POST", f"/v1/peers/{self.customer}/send", {"to": self.shop, "text": ANSWER})
        body = wait_for("the webhook", lambda: self.webhook.text(ANSWER))
        say(f"webhook      {body['typeWebhook']} from {body['senderData']['senderName']}: {ANSWER!r}")
        time.sleep(1.1)  # Green-API allows one setSettings a second
        self.api("POST", "setSettings", {"webhookUrl": ""})
        self.control("POST", f"/v1/peers/{self.customer}/send", {"to": self.shop, "text": SECOND_ANSWER})
        end = time.monotonic() + 30
        while time.monotonic() < end:
            got = self.api("GET", "receiveNotification", query="?receiveTimeout=5")
            if got is None:
                continue
            self.api("DELETE", "deleteNotification", tail=f"/{got['receiptId']}")
            if got["body"]["typeWebhook"] == "incomingMessageReceived":
                message = got["body"]["messageData"]
                text = message.get("textMessageData", {}).get("textMessage") or message["extendedTextMessageData"]["text"]
                if text != SECOND_ANSWER:
                    fail(f"receiveNotification gave {text!r}")
                say(f"long poll    receiveNotification: {text!r}")
                return
        fail("receiveNotification gave no answer of the customer")

    def print_receipt(self):
        """A till that can only print: paper first, then the customer asks for it."""
        port = self.api("GET", "getReceiptPrinters")[0]["port"]
        with socket.create_connection(("127.0.0.1", port)) as till:
            till.sendall(PRINTED + CUT)
        paper = wait_for("the paper", lambda: self.printer.paper.endswith(CUT) and self.printer.paper)
        if not paper.startswith(PRINTED):
            fail("the printer got other bytes than the till sent")
        code = re.search(rb"https://wa\.me/" + self.shop.encode() + rb"\?text=(R-[1-9A-Z]{5})", paper)
        if code is None:
            fail("no QR code on the paper")
        say(f"printed      {len(PRINTED) + len(CUT)} bytes of the till, each as it was, and a QR code of {len(paper) - len(PRINTED) - len(CUT)} before the cut")
        token = code[1].decode()
        stranger = self.control("POST", "/v1/accounts", {"name": "Bert"})["phone"]  # nobody ever typed this number
        scanned = time.monotonic()
        self.control("POST", f"/v1/peers/{stranger}/send", {"to": self.shop, "text": token})

        def picture():
            inbox = self.control("GET", f"/v1/peers/{stranger}/inbox?after=0")["messages"]
            return next((message for message in inbox if message.get("file")), None)

        message = wait_for("the receipt", picture)
        took = time.monotonic() - scanned
        url = f"{self.box['url']}/waInstance{self.access['idInstance']}/getReceipt/{self.access['apiTokenInstance']}?receiptId=1&form=png"
        with urllib.request.urlopen(url, timeout=10) as answer:
            shown = answer.read()
        if hashlib.sha256(shown).hexdigest() != message["file"]["sha256"]:
            fail("the customer's phone has another picture than the box")
        say(f"scanned      a stranger sent {token!r} and had the receipt {took:.1f} s later, decrypted: PNG, {len(shown)} bytes")

    def check_the_wire(self):
        violations = self.control("GET", "/v1/violations")["violations"]
        if violations:
            fail(f"protocol violations: {violations}")

    def run(self):
        try:
            self.start_everything()
            self.link()
            self.send_receipt()
            self.receive_answers()
            self.print_receipt()
            self.check_the_wire()
            if self.keep:
                token = self.access["apiTokenInstance"]
                print(f"\nRunning until you press Ctrl-C:\n  page              {self.box['url']}/ (you set its password in the first 30 minutes)\n  apiUrl            {self.box['url']}\n  idInstance        {self.access['idInstance']}"
                      f"\n  apiTokenInstance  {token}\n  customer          {self.customer}@c.us\n  simulator         {self.sim['control']}"
                      f"\n  QR text           {self.qr}")
                signal.sigwait([signal.SIGINT, signal.SIGTERM])
        finally:
            self.stop()
        say("done")


if __name__ == "__main__":
    Demo(sys.argv[1], "--keep" in sys.argv[2:]).run()

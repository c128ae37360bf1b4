"""A stand-in for hawkBit's device API, and for the box's own API where an update is installed: loopback only.

The stand-in of the daemon exists because posthornd hands a bundle to root, RAUC and a restart, which a test run has not got: the
image's own tests do that part. Everything else of the agent is real here.
"""

import hashlib
import http.server
import json
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, value, status=200):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True


class HawkBit:
    def __init__(self, token="secret"):
        self.token = token
        self.bundles = {}  # name -> bytes
        self.jobs = {}  # box -> {"id", "bundle", "sha256", "update", "cancel"}
        self.feedback = {}  # box -> [(id, execution, finished, detail)]
        self.attributes = {}
        self.cut_after = {}  # box -> bytes, once
        self.ranges = []
        self.wrong_tokens = 0
        hawk = self

        class Ddi(Handler):
            def do_GET(self):
                hawk.get(self)

            def do_PUT(self):
                hawk.put(self)

            def do_POST(self):
                hawk.post(self)

        self.server = Server(("127.0.0.1", 0), Ddi)
        self.url = f"http://127.0.0.1:{self.server.server_port}/default"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def offer(self, box, bundle, ident, sha256=None, update="forced"):
        self.jobs[box] = {"id": ident, "bundle": bundle, "sha256": sha256 or hashlib.sha256(self.bundles[bundle]).hexdigest(),
                          "update": update, "cancel": False}

    def closed(self, box):
        return [(finished, detail) for _, execution, finished, detail in self.feedback.get(box, []) if execution in ("closed", "rejected")]

    def known(self, request):
        if request.headers.get("Authorization") == "GatewayToken " + self.token:
            return True
        self.wrong_tokens += 1
        request.answer({"message": "who are you?"}, 401)
        return False

    def get(self, request):
        parts = request.path.strip("/").split("/")
        if parts[0] == "bundles":
            return self.give(request, parts[1], parts[2])
        if not self.known(request):
            return None
        box, job = parts[3], self.jobs.get(parts[3])
        base = f"{self.url}/controller/v1/{box}"
        if len(parts) == 4:
            links = {} if box in self.attributes else {"configData": {"href": base + "/configData"}}
            if job and job["cancel"]:
                links["cancelAction"] = {"href": f"{base}/cancelAction/{job['id']}"}
            elif job:
                links["deploymentBase"] = {"href": f"{base}/deploymentBase/{job['id']}?c=1"}
            return request.answer({"config": {"polling": {"sleep": "00:00:01"}}, "_links": links})
        if parts[4] == "cancelAction":
            return request.answer({"id": "c" + job["id"], "cancelAction": {"stopId": job["id"]}})
        if parts[4] == "deploymentBase" and job:
            name, data = job["bundle"], self.bundles[job["bundle"]]
            host = self.url.rsplit("/", 1)[0]
            artifact = {"filename": name + ".raucb", "size": len(data), "hashes": {"sha256": job["sha256"]},
                        "_links": {"download-http": {"href": f"{host}/bundles/{box}/{name}"}}}
            return request.answer({"id": job["id"], "deployment": {"download": "attempt", "update": job["update"], "chunks": [
                {"part": "os", "version": "2", "name": name, "artifacts": [artifact]}]}})
        return request.answer({}, 404)

    def give(self, request, box, name):
        data = self.bundles[name]
        start = 0
        if wanted := request.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.ranges.append(box)
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        end = len(data)
        if (cut := self.cut_after.pop(box, None)) is not None:
            end = min(end, start + cut)
        request.wfile.write(data[start:end])
        if end < len(data):
            request.close_connection = True
            request.connection.shutdown(2)

    def put(self, request):
        text = request.body()
        if self.known(request):
            self.attributes[request.path.split("/")[4]] = json.loads(text)["data"]
            request.answer({})

    def post(self, request):
        value = json.loads(request.body())
        if not self.known(request):
            return
        parts = request.path.strip("/").split("/")
        box, ident, status = parts[3], parts[5], value["status"]
        if box not in self.jobs or value["id"] != ident:
            return request.answer({}, 410)
        self.feedback.setdefault(box, []).append((ident, status["execution"], status["result"]["finished"], " ".join(status["details"])))
        if status["execution"] == "closed":
            self.jobs.pop(box)
        return request.answer({})

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class PretendDaemon:
    """What posthorn-fleet asks of posthornd, with two slots. Bundles begin with what becomes of them."""

    def __init__(self):
        self.slot, self.next, self.boot = "A", "A", 1
        self.status = {"state": "none", "detail": ""}
        self.upload = b""
        self.restart = False
        self.installs = 0
        daemon = self

        class Api(Handler):
            def do_GET(self):
                daemon.get(self, self.path.split("?")[0])

            def do_PUT(self):
                daemon.upload = self.body()
                self.answer({"received": len(daemon.upload)})

            def do_POST(self):
                text = self.body()
                if "installUpdate" in self.path and json.loads(text)["size"] == len(daemon.upload):
                    daemon.installs += 1
                    threading.Thread(target=daemon.install, daemon=True).start()
                self.answer({"accepted": True})

        self.server = Server(("127.0.0.1", 0), Api)
        self.access = {"url": f"http://127.0.0.1:{self.server.server_port}", "idInstance": 7100000001, "apiTokenInstance": "t" * 50,
                       "careToken": "c" * 50}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, request, path):
        name = path.split("/")[-2] if path.startswith("/waInstance") else path
        if name == "watchEvents":
            time.sleep(2)
        answers = {"/healthz": {"status": "ok", "version": f"1-{self.slot}", "link": "online", "linkCause": "", "whatToDo": "", "throttle": "green",
                                "clockTrusted": True, "outboxJobs": 0, "inboxNotifications": 0},
                   "getThrottleStatus": {"paused": False, "now": int(time.time())}, "getReaders": [], "getUpdateStatus": self.status,
                   "watchEvents": {"last": 1, "lost": 0, "events": []}, "/metrics": b"", "getBoardStatus": {}}
        request.answer(answers.get(name, {}))

    def install(self):
        self.status = {"state": "installing", "detail": ""}
        time.sleep(1.5)
        if self.upload.startswith(b"UNSIGNED"):
            self.status = {"state": "failed", "detail": "signature verification failed"}
            return
        self.status = {"state": "installed", "detail": ""}
        # Into the slot that does not run; one that does not get up is left again by the boot loader.
        self.next = self.slot if self.upload.startswith(b"NO-BOOT") else ("B" if self.slot == "A" else "A")
        self.restart = True

    def reboot(self):
        self.slot, self.restart = self.next, False
        self.boot += 1

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

#!/usr/bin/env python3
"""Posthorn relay: takes Meta's webhooks in the internet and keeps them until a box behind a router fetches them.

It holds no secret of Meta's: the body and X-Hub-Signature-256 go on untouched, and the box checks them.
Behind a web server that speaks HTTPS: relay.py --listen 127.0.0.1:8090 --folder /var/lib/posthorn-relay
The folder has one sub-folder a box, made by its keeper, with two files: token (the box's) and verify_token (Meta's).

    POST /in/BOX   kept on disk, then 200              GET /in/BOX?hub.…   the challenge
    GET /out/BOX?after=N&wait=55  (Bearer token)       {"items": [{"n", "signature", "body_base64", "time"}]}, n growing
"""
import argparse
import base64
import hmac
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

BODY_MAX = 3 << 20         # as large as Meta says a webhook may be
KEPT_MAX = 10_000          # of one box; Meta repeats for a week, and what it is refused comes again
ANSWER_MAX = 2 << 20
WAIT_MAX = 55
CONNECTIONS = 200
PER_SECOND = 100           # numbers that a second of the clock is: more webhooks than come, and twelve digits until 2286

news = threading.Condition()


class Box:
    """What is kept for one box: a file for each webhook, NNNNNNNNNNNN.json."""

    def __init__(self, folder):
        self.folder = folder

    def secret(self, name):
        try:
            return (self.folder / name).read_text().strip()
        except OSError:
            return ""

    def items(self):
        return sorted(path for path in self.folder.iterdir() if re.fullmatch(r"\d{12}\.json", path.name))

    def append(self, body, signature):
        """False: full. The number never goes back: not when all was fetched, nor, being of the clock, with a new folder."""
        with news:
            items = self.items()
            if len(items) >= KEPT_MAX:
                return False
            counter = self.folder / "last"
            last = max(int(counter.read_text()) if counter.exists() else 0, int(items[-1].stem) if items else 0)
            now = time.time()
            number = max(last + 1, int(now * PER_SECOND))
            item = {"n": number, "signature": signature, "body_base64": base64.b64encode(body).decode(), "time": int(now)}
            write(counter, str(number))
            write(self.folder / f"{number:012}.json", json.dumps(item))
            news.notify_all()
        return True

    def fetch(self, after, wait):
        end = time.monotonic() + wait
        with news:
            while True:
                out, size = [], 0
                for path in self.items():
                    if int(path.stem) <= after:
                        path.unlink()
                        continue
                    text = path.read_text()
                    size += len(text)
                    if out and size > ANSWER_MAX:
                        break
                    out.append(json.loads(text))
                left = end - time.monotonic()
                if out or left <= 0:
                    return out
                news.wait(left)


def whole(text):
    """A number as people write it, else 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def write(path, text):
    """Whole or not at all, also when the power goes."""
    part = path.with_suffix(".part")
    with open(part, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75
    folder = Path()
    open_requests = threading.BoundedSemaphore(CONNECTIONS)

    def answer(self, status, body=b"", kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def target(self):
        url = urlsplit(self.path)
        found = re.fullmatch(r"/(in|out)/([a-z0-9-]{1,40})", url.path)
        folder = self.folder / found[2] if found else None
        if folder is None or not folder.is_dir():
            return None, None, {}
        return found[1], Box(folder), {name: values[0] for name, values in parse_qs(url.query).items()}

    def do_POST(self):
        way, box, _ = self.target()
        length = whole(self.headers.get("Content-Length") or "")
        if way != "in" or length <= 0 or length > BODY_MAX:
            self.close_connection = True
            return self.answer(404 if way != "in" else 413 if length else 411)
        body = self.rfile.read(length)
        if len(body) != length:
            return
        kept = box.append(body, self.headers.get("X-Hub-Signature-256", "")[:200])
        self.answer(200 if kept else 503)

    def do_GET(self):
        way, box, query = self.target()
        if way == "in":
            token = box.secret("verify_token")
            right = token and hmac.compare_digest(query.get("hub.verify_token", "").encode(), token.encode())
            challenge = query.get("hub.challenge", "")
            if right and challenge.isascii() and challenge.isdigit() and len(challenge) <= 64:
                return self.answer(200, challenge.encode())
            return self.answer(403)
        if way != "out":
            return self.answer(404)
        token = box.secret("token")
        shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token or not hmac.compare_digest(shown.encode(), token.encode()):
            return self.answer(403)
        items = box.fetch(whole(query.get("after", "0")), min(whole(query.get("wait", "0")), WAIT_MAX))
        self.answer(200, json.dumps({"items": items}).encode(), "application/json")

    def handle(self):
        if not self.open_requests.acquire(blocking=False):
            return
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self.open_requests.release()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """One line without what was sent: there are tokens in it."""
        print(f"a request failed: {type(sys.exc_info()[1]).__name__}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description="Keeps Meta's webhooks for boxes behind routers.")
    parser.add_argument("--listen", default="127.0.0.1:8090")
    parser.add_argument("--folder", required=True)
    options = parser.parse_args()
    os.umask(0o077)  # what customers wrote
    host, port = options.listen.rsplit(":", 1)
    Handler.folder = Path(options.folder)
    server = Server((host, int(port)), Handler)
    print(json.dumps({"url": f"http://{host}:{server.server_port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The relay's contract, as Meta and a box use it. relay.py PATH_OF_THE_RELAY"""
import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

RELAY = ""
TOKEN = "token-of-box7-that-nobody-may-see"
VERIFY = "verify-token-that-nobody-may-see"


class Relay(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        box = Path(self.folder.name) / "box7"
        box.mkdir()
        (box / "token").write_text(TOKEN + "\n")
        (box / "verify_token").write_text(VERIFY)
        self.said = ""
        self.start()

    def tearDown(self):
        self.stop(signal.SIGTERM)
        self.folder.cleanup()
        for secret in (TOKEN, VERIFY, "sha256=mark"):
            self.assertNotIn(secret, self.said)

    def start(self):
        self.relay = subprocess.Popen([sys.executable, RELAY, "--listen", "127.0.0.1:0", "--folder", self.folder.name],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.relay.stdout.readline()
        self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])
        self.said += line

    def stop(self, how):
        self.relay.send_signal(how)
        out, err = self.relay.communicate(timeout=10)
        self.said += out + err

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def tell(self, body, signature="sha256=mark"):
        return self.ask("POST", "/in/box7", body, {"X-Hub-Signature-256": signature})[0]

    def fetch(self, after=0, wait=0, token=TOKEN):
        status, body = self.ask("GET", f"/out/box7?after={after}&wait={wait}", headers={"Authorization": f"Bearer {token}"})
        return json.loads(body)["items"] if status == 200 else status

    def test_bytes_and_signature_travel_untouched(self):
        body = bytes(range(256)) + b'{"text":"\\u00e4/"}'
        self.assertEqual(self.tell(body), 200)
        item = self.fetch()[0]
        self.assertEqual(base64.b64decode(item["body_base64"]), body)
        self.assertEqual(item["signature"], "sha256=mark")
        self.assertLess(abs(item["time"] - time.time()), 60)

    def test_stored_before_it_is_answered(self):
        for number in range(3):
            self.assertEqual(self.tell(b"%d" % number), 200)
        self.stop(signal.SIGKILL)
        self.start()
        self.assertEqual([base64.b64decode(one["body_base64"]) for one in self.fetch()], [b"0", b"1", b"2"])

    def test_deleted_at_after_and_numbers_go_on(self):
        for number in range(3):
            self.tell(b"%d" % number)
        first, second, third = (one["n"] for one in self.fetch())
        self.assertTrue(first < second < third)
        self.assertEqual([one["n"] for one in self.fetch(after=second)], [third])
        self.assertEqual([one["n"] for one in self.fetch(after=0)], [third], "what was fetched is gone")
        self.assertEqual(self.fetch(after=third), [])
        self.stop(signal.SIGTERM)
        self.start()
        self.tell(b"later")
        self.assertEqual(len(self.fetch(after=third)), 1, "a number never comes twice")

    def test_a_new_folder_goes_on_behind_the_old_one(self):
        self.tell(b"before")
        after = self.fetch()[0]["n"]
        box = Path(self.folder.name) / "box7"
        for path in [*box.glob("*.json"), box / "last"]:
            path.unlink()
        time.sleep(0.02)
        self.tell(b"behind")
        self.assertEqual([base64.b64decode(one["body_base64"]) for one in self.fetch(after=after)], [b"behind"])

    def test_a_clock_that_was_ahead_takes_no_number_back(self):
        box = Path(self.folder.name) / "box7"
        (box / "last").write_text("900000000000")
        self.tell(b"one")
        self.assertEqual(self.fetch()[0]["n"], 900_000_000_001)
        (box / "last").unlink()
        self.tell(b"two")
        self.assertEqual(self.fetch()[-1]["n"], 900_000_000_002)

    def test_waits_for_news(self):
        threading.Timer(0.3, self.tell, [b"news"]).start()
        begun = time.monotonic()
        news = self.fetch(wait=10)
        self.assertEqual(len(news), 1)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(self.fetch(after=news[0]["n"], wait=1), [])

    def test_answers_meta_within_a_second_while_the_box_waits(self):
        waiting = threading.Thread(target=self.fetch, kwargs={"wait": 3})
        waiting.start()
        for _ in range(20):
            begun = time.monotonic()
            self.assertEqual(self.tell(b"x" * 2000), 200)
            self.assertLess(time.monotonic() - begun, 1)
        waiting.join()

    def test_the_challenge(self):
        ask = lambda token, challenge="1158201444": self.ask("GET", f"/in/box7?hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={token}")
        self.assertEqual(ask(VERIFY), (200, b"1158201444"))
        self.assertEqual(ask("other")[0], 403)
        self.assertEqual(ask("")[0], 403)
        self.assertEqual(ask(VERIFY, "<script>")[0], 403)
        self.assertEqual(ask(VERIFY, "%C2%B2")[0], 403)

    def test_only_the_box_gets_them(self):
        self.tell(b"secret")
        self.assertEqual(self.fetch(token="other"), 403)
        self.assertEqual(self.fetch(token=""), 403)
        self.assertEqual(self.ask("GET", "/out/box7?after=0")[0], 403)
        (Path(self.folder.name) / "box7" / "token").write_text("")
        self.assertEqual(self.fetch(token=""), 403, "a box without a token has no box")

    def test_paths_that_are_none(self):
        for path in ("/", "/in/", "/in/box8", "/in/..", "/in/box7/token", "/out/box7/../box7", "/in/BOX7", "/in/" + "a" * 300):
            self.assertEqual(self.ask("POST", path, b"x")[0], 404, path)
            self.assertEqual(self.ask("GET", path)[0], 404, path)

    def test_bodies_that_are_none(self):
        self.assertEqual(self.tell(b""), 411)
        self.assertEqual(self.ask("POST", "/in/box7", headers={"Content-Length": "many"})[0], 411)
        self.assertEqual(self.ask("POST", "/in/box7", headers={"Content-Length": str(4 << 20)})[0], 413)
        self.assertEqual(self.tell(b"x" * (3 << 20)), 200, "as large as Meta says")
        self.assertEqual(len(self.fetch()), 1)
        for query in ("after=x&wait=y", "after=%C2%B2", "after=" + "9" * 5000, "after=-1"):
            status, _ = self.ask("GET", f"/out/box7?{query}", headers={"Authorization": f"Bearer {TOKEN}"})
            self.assertEqual(status, 200, query)

    def test_full_is_no_loss(self):
        box = Path(self.folder.name) / "box7"
        for number in range(1, 10_001):
            (box / f"{number:012}.json").write_text("{}")
        self.assertEqual(self.tell(b"one more"), 503, "Meta tries again")
        self.fetch(after=9_999)
        self.assertEqual(self.tell(b"one more"), 200)

    def test_files_are_only_the_keepers(self):
        self.tell(b"said")
        items = list((Path(self.folder.name) / "box7").glob("*.json"))
        self.assertEqual([os.stat(item).st_mode & 0o077 for item in items], [0])


if __name__ == "__main__":
    RELAY = sys.argv.pop(1)
    unittest.main()

#!/usr/bin/env python3
"""When a slot is confirmed and when it is given back (image/root/usr/lib/posthorn/confirm): confirm.py"""

import http.server
import sys
import threading
import unittest

sys.dont_write_bytecode = True
from scripts import Sandbox


class Api(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(Api.status)
        self.end_headers()

    def log_message(self, *_):
        pass


class Confirm(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        Api.status = 200
        self.box = Sandbox()
        self.script = self.box.script("confirm", {
            "/usr/lib/posthorn": self.box.programs, "/proc/cmdline": self.box.folder / "cmdline",
            "/proc/uptime": self.box.folder / "uptime", "127.0.0.1/80": f"127.0.0.1/{self.server.server_port}"})
        self.start("A", own=3, other=7)
        self.box.stand_in("posthorn-slots", 'if [ "$1" = left ]; then cat "$T/left-$2"; else echo "$@" >>"$T/slots"; fi')
        self.box.stand_in("tell-update", 'echo "$1: $2" >"$T/told"')
        self.box.stand_in("systemctl", 'case $* in *is-failed*) exit 3 ;; *) echo "$@" >>"$T/system" ;; esac')
        self.reach("exit 0")

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.box.close()

    def start(self, slot, own, other, uptime=30):
        (self.box.folder / "cmdline").write_text(f"root=PARTUUID=1-02 posthorn.disk=mmc0 rauc.slot={slot} panic=10 "
                                                 "posthorn.confirm_seconds=300 quiet\n")
        (self.box.folder / "left-A").write_text(f"{own if slot == 'A' else other}\n")
        (self.box.folder / "left-B").write_text(f"{own if slot == 'B' else other}\n")
        (self.box.folder / "uptime").write_text(f"{uptime}.25 100.0\n")

    def reach(self, text):
        self.box.stand_in("posthorn-reach", text)

    def test_api_and_network_as_before_confirm(self):
        status, said = self.box.run(self.script)
        self.assertEqual((status, self.box.said("slots")), (0, "set-state A good\n"), said)
        self.assertIn("slot A is confirmed", said)

    def test_the_network_may_come_late(self):
        self.reach('[ -e "$T/up" ] || { touch "$T/up"; echo "no address"; exit 1; }')
        self.assertEqual(self.box.run(self.script)[0], 0)
        self.assertEqual(self.box.said("slots"), "set-state A good\n")

    def test_without_the_network_of_before_it_is_given_back_and_told(self):
        self.reach("echo no IPv4 address came; exit 1")
        self.start("B", own=2, other=7, uptime=301)
        self.assertEqual(self.box.run(self.script)[0], 0)
        self.assertEqual(self.box.said("slots"), "")
        self.assertIn("reboot", self.box.said("system"))
        self.assertRegex(self.box.said("told"), "^failed: .*no IPv4 address came.*the version before runs again")

    def test_it_is_not_given_back_to_a_slot_that_is_not_confirmed(self):
        self.reach("echo no IPv4 address came; exit 1")
        self.start("A", own=2, other=3, uptime=301)
        status, said = self.box.run(self.script)
        self.assertEqual((status, self.box.said("system")), (1, ""), said)
        self.assertIn("no confirmed slot to go back to", said)

    def test_a_confirmed_slot_is_asked_for_no_network(self):
        self.reach("echo no IPv4 address came; exit 1")
        self.start("A", own=7, other=7)
        status, said = self.box.run(self.script)
        self.assertEqual((status, self.box.said("slots")), (0, ""), said)
        self.assertIn("was confirmed before", said)

    def test_a_confirmed_slot_is_left_to_a_person(self):
        Api.status = 503
        self.start("A", own=7, other=7, uptime=301)
        status, said = self.box.run(self.script)
        self.assertEqual((status, self.box.said("system")), (1, ""), said)

    def test_a_daemon_that_failed_for_good_is_not_waited_for(self):
        Api.status = 503
        self.box.stand_in("systemctl", 'case $* in *is-failed*) exit 0 ;; *) echo "$@" >>"$T/system" ;; esac')
        self.assertEqual(self.box.run(self.script)[0], 0)
        self.assertIn("reboot", self.box.said("system"))
        self.assertIn("the API does not answer", self.box.said("told"))

    def test_a_computer_without_slots_has_nothing_to_confirm(self):
        (self.box.folder / "cmdline").write_text("root=/dev/sda1 quiet\n")
        status, said = self.box.run(self.script)
        self.assertEqual(status, 0)
        self.assertIn("nothing to confirm", said)


if __name__ == "__main__":
    unittest.main()

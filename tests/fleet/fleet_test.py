#!/usr/bin/python3
"""A fleet on Mosquitto, end to end: fleet_test.py BUILD [NAME...]. The last line says "N passed, N failed".

Real mosquitto, real posthornd with posthorn-sim, real posthorn-fleet, certificates made here, a head office with paho-mqtt
(Debian's python3-paho-mqtt). Loopback only; every wait is bounded.
"""

import concurrent.futures
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
import traceback

from bench import ORG, ROOT, Authority, Box, Broker, Child, HeadOffice, Programs, Simulator, wait_for
from cases import TESTS, alongside, test
import enrolment  # noqa: F401 (its tests join the others)
import updates  # noqa: F401


class World:
    """One broker, one authority, one simulator, one head office and one linked box for all tests."""

    def __init__(self, build):
        self.programs = Programs(build)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="posthorn-fleet-"))
        self.authority = Authority(self.folder / "ca")
        self.broker = Broker(self.folder / "broker", self.authority)
        self.simulator = Simulator(self.programs, self.folder / "sim")
        self.head = HeadOffice(self.broker, self.authority)
        self.box = self.new_box("one", '[commands]\ncare = true\n').start().link()
        self.customer = self.box.customer()
        self.boxes = [self.box]

    def new_box(self, folder, more="", **also):
        return Box(self.programs, self.folder / folder, self.simulator, self.broker, self.authority, more, **also)

    def stop(self):
        for part in (*list(self.boxes), self.head, self.broker, self.simulator):
            try:
                part.stop()
            except Exception as error:  # the others are to be stopped too
                print("stopping:", error)

    def online(self, box=None):
        return (self.head.json((box or self.box).name, "online") or {}).get("online")


@test
def birth_and_state_tell_how_the_box_is(world):
    head, name = world.head, world.box.name
    wait_for("birth", lambda: head.json(name, "birth"))
    birth = wait_for("a birth with the version", lambda: (b := head.json(name, "birth"))["version"] and b)
    assert birth["agent"] == birth["version"] and birth["features"] == ["events-metadata", "care"], birth
    assert birth["certificate"]["expires"] > time.time() + 100 * 86400, birth
    state = wait_for("a state that is online", lambda: (s := head.json(name, "state")) and s["link"] == "online" and s)
    assert state["lane"] == "green" and state["daemon"] == "up" and state["storageOk"] is True, state
    assert world.online() is True and head.json(name, "online")["bdSeq"] == 1
    wait_for("no alert", lambda: alerts(world, name) == [])


def alerts(world, name):
    prefix = f"posthorn/v1/{ORG}/{name}/alert/"
    return [topic[len(prefix):] + ": " + payload.decode() for topic, payload in list(world.head.last.items()) if topic.startswith(prefix) and payload]


@test
def events_arrive_in_order_and_without_number_or_text(world):
    head, box = world.head, world.box
    first = box.newest() + 1
    box.write_in(world.customer, "Have you got Bretzel today?")
    event = wait_for("the event", lambda: [(b, s) for kind, b, s in head.all(box.name, "event/") if kind == "incomingMessageReceived"])[0]
    assert event[0]["kind"] == "textMessage" and event[0]["group"] is False and len(event[0]["chat"]) == 16, event
    sent = box.api("POST", "sendMessage", {"chatId": f"{world.customer}@c.us", "message": "Yes, twelve of them"})["idMessage"]
    for status in ("sent", "delivered"):
        wait_for(status, lambda: any(b.get("idMessage") == sent and b.get("status") == status for _, b, _ in head.all(box.name, "event/")))
    wait_for("everything acknowledged", lambda: box.reader()["behind"] == 0)
    assert head.gaps(box.name, first, box.newest()) == []
    with head.lock:
        wire = b"\n".join(topic.encode() + payload for topic, payload, *_ in head.messages if "/reply/" not in topic)
    for secret in (world.customer, box.phone, "Bretzel", "twelve", "Anna"):
        assert secret.encode() not in wire, f"{secret} left the shop"


@test
def a_command_has_one_effect_however_often_it_comes(world):
    head, box = world.head, world.box
    command = {"do": "send", "key": "order-118", "args": {"chatId": f"{world.customer}@c.us", "message": "Order 118 is ready"}}
    for _ in range(10):
        head.send(box.name, command)
    replies = wait_for("ten replies", lambda: len(r := head.replies(box.name, "order-118")) >= 10 and r)
    assert [r["status"] for r in replies].count("done") == 1 and {r["status"] for r in replies} == {"done", "repeated"}, replies
    assert len({r["body"]["idMessage"] for r in replies}) == 1, replies
    wait_for("the message", lambda: any(m["text"] == "Order 118 is ready" for m in box.received_by(world.customer)))
    # Killed in the middle: what was begun goes on, once.
    command = {**command, "key": "order-119", "args": {**command["args"], "message": "Order 119 is ready"}}
    head.send(box.name, command)
    for _ in range(3):
        box.agent.kill()
        box.start_agent()
        head.send(box.name, command)
    wait_for("its reply", lambda: any(r["status"] in ("done", "repeated") for r in head.replies(box.name, "order-119")))
    wait_for("the message", lambda: any(m["text"] == "Order 119 is ready" for m in box.received_by(world.customer)))
    time.sleep(1)
    texts = [m["text"] for m in box.received_by(world.customer)]
    assert texts.count("Order 118 is ready") == 1 and texts.count("Order 119 is ready") == 1, texts


@test
def commands_are_refused_in_words(world):
    head, name = world.head, world.box.name
    assert "no command" in head.ask(name, "dance", "r1")["body"]["message"]
    assert "hands at the box" in head.ask(name, "logout", "r2")["body"]["message"]
    refused = head.ask(name, "setSettings", "r3", args={"webhookUrl": "http://evil/"})
    assert refused["code"] == 403 and "webhookUrl" in refused["body"]["message"], refused
    assert head.ask(name, "send", "r4", args={"chatId": "x", "message": "y"})["status"] == "refused"
    assert head.ask(name, "send", "r5", exp=int(time.time()) - 60, args={"chatId": "x", "message": "y"})["status"] == "expired"
    head.send(name, "no JSON at all", ident="garbage")
    wait_for("the reply to garbage", lambda: [b for t, b, _ in head.all(name, "reply/") if t == "garbage" and b["code"] == 400])


@test
def status_settings_logs_and_pause_by_command(world):
    head, box = world.head, world.box
    status = head.ask(box.name, "getStatus", "s1")["body"]
    assert status["link"] == "online" and status["alerts"] == [], status
    assert head.ask(box.name, "setSettings", "s2", args={"rejectCalls": "yes"})["body"] == {"saveSettings": True}
    log = head.ask(box.name, "logs", "s3", args={"lines": 5})["body"]["log"]
    assert 0 < len(log.splitlines()) <= 5, log
    assert head.ask(box.name, "pauseSending", "s4", by="Ms Baker")["body"]["paused"] is True
    text = "This waits until the pause is over"
    box.api("POST", "sendMessage", {"chatId": f"{world.customer}@c.us", "message": text})
    time.sleep(1.2)
    assert all(m["text"] != text for m in box.received_by(world.customer))
    # The daemon forgets a pause with a restart: the agent says it again.
    box.daemon.kill()
    box.start_daemon()
    wait_for("the pause after a restart", lambda: box.api("GET", "getThrottleStatus")["paused"])
    assert head.ask(box.name, "resumeSending", "s5")["body"]["paused"] is False
    wait_for("the message after the pause", lambda: any(m["text"] == text for m in box.received_by(world.customer)))


@test
def the_whole_fleet_pauses_and_goes_on(world):
    head, box = world.head, world.box
    topic = f"posthorn/v1/{ORG}/all/pause"
    head.client.publish(topic, json.dumps({"pause": True, "by": "Ms Baker", "at": time.time_ns() // 1000}), qos=1, retain=True)
    wait_for("the pause", lambda: box.api("GET", "getThrottleStatus")["paused"])
    head.client.publish(topic, json.dumps({"pause": False, "by": "Ms Baker", "at": time.time_ns() // 1000}), qos=1, retain=True)
    wait_for("its end", lambda: not box.api("GET", "getThrottleStatus")["paused"])


@test
def the_will_tells_of_a_killed_agent(world):
    head, box = world.head, world.box
    before = head.json(box.name, "online")
    killed = time.monotonic()
    box.agent.kill()
    wait_for("the will", lambda: world.online() is False)
    took = time.monotonic() - killed
    assert head.json(box.name, "online")["bdSeq"] == before["bdSeq"], "the will is of another birth"
    box.start_agent()
    wait_for("the next birth", world.online)
    after = head.json(box.name, "online")
    assert after["bdSeq"] > before["bdSeq"] and after["boot"] == before["boot"] + 1, (before, after)
    print(f"  kill -9 to \"online\": false at the centre: {took:.1f} s (will delay 1 s here, 30 s by default)")
    # A goodbye is told at once, without the will's delay.
    box.agent.stop()
    wait_for("the goodbye", lambda: world.online() is False, 3)
    box.start_agent()
    wait_for("the birth after it", world.online)


@test
def events_survive_kills_of_box_agent_and_broker(world):
    head, box = world.head, world.box
    first = box.newest() + 1
    cuts = 0
    for round_ in range(12):
        for i in range(4):
            box.write_in(world.customer, f"message {round_}.{i}")
        if round_ % 3 == 0:
            box.agent.kill()
            box.start_agent()
        elif round_ % 3 == 1:
            world.broker.kill()
            world.broker.start()
        else:
            box.daemon.kill()
            box.start_daemon()
            wait_for("the link", lambda: box.health()["link"] == "online")
        cuts += 1
    wait_for("every message in the ring", lambda: box.health()["link"] == "online")
    wait_for("all of them acknowledged", lambda: box.reader() and box.reader()["behind"] == 0, 40)
    last = box.newest()
    assert last - first >= 47, (first, last)
    # A broker that is killed loses what it had taken and not handed on: the centre sees the numbers that are missing.
    missing = head.gaps(box.name, first, last)
    if missing:
        print(f"  {len(missing)} events lost by the killed broker, asked for again")
        head.ask(box.name, "resend", "again", args={"from": missing[0]})
    wait_for("all of them at the centre", lambda: head.gaps(box.name, first, last) == [], 30)
    kinds = {}
    for kind, body, seq in head.all(box.name, "event/"):
        assert kinds.setdefault(seq, (kind, body)) == (kind, body), f"number {seq} means two things"
    print(f"  {last - first + 1} events through {cuts} kills of agent, broker and daemon: none lost, none unreported")


@test
def a_long_absence_is_told_from_the_ring(world):
    """A day offline with many events: the ring is the queue."""
    head, box = world.head, world.box
    wait_for("everything told", lambda: box.reader()["behind"] == 0)
    first = box.newest() + 1
    world.broker.stop()
    count = 250
    for i in range(count):
        box.write_in(world.customer, f"while the broker is away {i}")
    wait_for("all in the ring", lambda: box.newest() - first + 1 >= count, 40)
    began = time.monotonic()
    world.broker.start()
    last = box.newest()
    wait_for("all at the centre", lambda: head.gaps(box.name, first, last) == [], 30)
    print(f"  {last - first + 1} events kept while the broker was away, told {time.monotonic() - began:.1f} s after its return")


@test
def two_boxes_with_one_certificate_back_off_and_say_so(world):
    head, box = world.head, world.box
    twin = world.new_box("twin", name=box.name, certificate=(box.state / "certificate.pem", box.state / "key.pem"))
    connects = lambda: len([1 for topic, *_ in list(head.messages) if topic.endswith(f"{box.name}/online")])
    twin.start_daemon().start_agent()
    world.boxes.append(twin)
    wait_for("the alert of a twin", lambda: head.json(box.name, "alert/twin"), 15)
    before = connects()
    time.sleep(4)
    assert connects() - before <= 2, "the two throw each other out all the time"
    twin.stop()
    world.boxes.remove(twin)
    box.agent.stop()
    box.start_agent()
    wait_for("the right box again", world.online)
    assert head.ask(box.name, "clearAlerts", "twin-over")["status"] == "done"
    wait_for("no twin", lambda: not head.json(box.name, "alert/twin"))


@test
def retained_garbage_on_cmd_does_nothing(world):
    head, box = world.head, world.box
    message = {"do": "send", "key": "retained-1", "args": {"chatId": f"{world.customer}@c.us", "message": "retained"}}
    topic = f"posthorn/v1/{ORG}/{box.name}/cmd/old"
    box.agent.stop()
    head.client.publish(topic, json.dumps(message), qos=1, retain=True).wait_for_publish(5)
    head.client.publish(topic + "2", b"\xff\x00garbage" * 100, qos=1, retain=True).wait_for_publish(5)
    box.start_agent()
    wait_for("the refusal", lambda: any("retained" in r["body"]["message"] for r in head.replies(box.name, "retained-1") if r["status"] == "refused"))
    for one in (topic, topic + "2"):
        head.client.publish(one, b"", qos=1, retain=True).wait_for_publish(5)
    assert head.ask(box.name, "getStatus", "after-garbage")["status"] == "done"


@test
def a_certificate_that_has_ended_is_told_in_the_log_and_nothing_else_stops(world):
    box = world.new_box("ended", certificate=world.authority.pair("box-ended", days=-1))
    world.boxes.append(box)
    box.start()
    log = box.folder / "agent.log"
    wait_for("the words", lambda: "certificate" in log.read_text() and "no connection to the broker" in log.read_text())
    assert box.agent.process.poll() is None and box.health()["status"] == "ok"
    box.stop()
    world.boxes.remove(box)


@test
def a_clock_that_is_wrong_stops_nothing_but_what_it_must(world):
    """A board without a battery boots in 1970; another one believes that it is 2040."""
    preload = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    at = lambda moment: {"LD_PRELOAD": str(preload), "FAKETIME": f"@{moment}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    box = world.new_box("clock")
    world.boxes.append(box)
    box.start_daemon()
    # 1970: nothing would ever connect if dates of certificates were looked at; the box says that it does not know the time.
    box.start_agent(env=at("1970-01-02 00:00:00"))
    wait_for("the box of 1970 at the broker", lambda: world.online(box))
    refused = world.head.ask(box.name, "send", "old-clock", exp=int(time.time()) + 60, args={})
    assert refused["code"] == 409 and "clock" in refused["body"]["message"], refused
    wait_for("the alert", lambda: world.head.json(box.name, "alert/clock"))
    box.agent.stop()
    box.start_agent(env=at("2040-01-01 00:00:00"))
    log = box.folder / "agent.log"
    wait_for("the words", lambda: "certificate has expired" in log.read_text())
    box.stop()
    world.boxes.remove(box)


@test
def home_assistant_finds_a_box_where_it_is_wanted(world):
    world.authority.pair("home-assistant")
    home = HeadOffice(world.broker, world.authority, "home-assistant", "homeassistant/#")
    box = world.new_box("home", "[home_assistant]\ndiscovery = true\n")
    world.boxes += [home, box]
    box.start()
    topic = f"homeassistant/device/posthorn_{box.name}/config"
    found = json.loads(wait_for("the discovery", lambda: home.last.get(topic)))
    assert found["state_topic"] == f"posthorn/v1/{ORG}/{box.name}/state" and found["components"]["lane"]["platform"] == "sensor", found
    assert not any(world.box.name in topic for topic in home.last), "a box that did not ask for it is there"
    for part in (box, home):
        part.stop()
        world.boxes.remove(part)


@test
def renewal_by_command_keeps_both_until_the_new_one_has_connected(world):
    head, box = world.head, world.box
    before = (box.state / "certificate.pem").read_text()
    request = head.ask(box.name, "renew", "n1", by="ca")["body"]["csr"]
    wrong = world.authority.pair("stranger")[0].read_text()
    assert "is for" in head.ask(box.name, "renew", "n2", args={"certificate": wrong})["body"]["message"]
    fresh = world.authority.sign(request, days=200)
    births = head.json(box.name, "online")["bdSeq"]
    assert head.ask(box.name, "renew", "n3", args={"certificate": fresh})["status"] == "done"
    wait_for("a birth with it", lambda: (o := head.json(box.name, "online"))["online"] and o["bdSeq"] > births)
    wait_for("the new one in place", lambda: (box.state / "certificate.pem").read_text() == fresh != before)
    assert not (box.state / "new-certificate.pem").exists() and not (box.state / "new-key.pem").exists()
    wait_for("its end in the birth", lambda: head.json(box.name, "birth")["certificate"]["expires"] > time.time() + 190 * 86400)


@alongside
def a_box_whose_plug_is_pulled_is_told_by_its_will(world):
    """Nothing is said any more, and nobody closes the connection."""
    broker = Broker(world.folder / "quiet", world.authority, "quiet")  # the others kill theirs, and wills with it
    world.boxes.append(broker)
    head = HeadOffice(broker, world.authority)
    world.boxes.append(head)
    box = Box(world.programs, world.folder / "unplugged", world.simulator, broker, world.authority)
    world.boxes.append(box)
    box.start()
    online = lambda: (head.json(box.name, "online") or {}).get("online")
    wait_for("the box", online)
    box.agent.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    wait_for("the will", lambda: online() is False, 40)
    print(f"  no sign of life to \"online\": false: {time.monotonic() - began:.0f} s with keep-alive 5 s and will delay 1 s")
    box.agent.kill()
    box.daemon.kill()
    head.stop()
    broker.stop()
    for part in (box, head, broker):
        world.boxes.remove(part)


class HugeBroker:
    """Takes the connection, says it is all right, and announces a message of 256 MiB."""

    def __init__(self, authority):
        certificate, key = authority.pair("huge", server=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.announced = 0
        self.context = context
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as peer:
                    peer.settimeout(5)
                    peer.recv(4096)
                    peer.sendall(bytes([0x20, 3, 0, 0, 0]))  # CONNACK
                    topic = b"posthorn/v1/x/y/cmd/z"
                    peer.sendall(bytes([0x32, 0xFF, 0xFF, 0xFF, 0x7F]) + struct.pack(">H", len(topic)) + topic)
                    self.announced += 1
                    for _ in range(400):
                        peer.sendall(b"x" * 65536)
            except OSError:
                pass

    def stop(self):
        self.socket.close()


@test
def a_message_of_256_mib_is_not_taken_into_memory(world):
    huge = HugeBroker(world.authority)
    world.boxes.append(huge)
    box = world.new_box("huge-box")
    world.boxes.append(box)
    config = box.folder / "fleet.toml"
    config.write_text(config.read_text().replace(f"port = {world.broker.port}", f"port = {huge.port}"))
    box.start()
    wait_for("two announcements", lambda: huge.announced >= 2, 25)
    assert box.agent.process.poll() is None, "the agent died of it"
    resident, _ = box.resident()
    assert resident < 20_000, f"{resident} kB resident"
    box.stop()
    world.boxes.remove(box)


@test
def twenty_shops_tell_one_head_office(world):
    """Real boxes with a pretended WhatsApp: their events, a command to each, the switch of all."""
    head = world.head
    shops = [world.new_box(f"shop-{number:02}") for number in range(20)]
    world.boxes.extend(shops)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda shop: shop.start().link(), shops))
    wait_for("all online at the centre", lambda: all(world.online(shop) for shop in shops), 30)
    wait_for("a reader in each", lambda: all(shop.reader() for shop in shops))
    first = {shop.name: shop.newest() + 1 for shop in shops}
    for i in range(5):
        for shop in shops:
            shop.write_in(world.customer, f"order {i}")
    wait_for("everything in the rings", lambda: all(shop.newest() - first[shop.name] >= 4 for shop in shops), 30)
    wait_for("everything at the centre", lambda: all(head.gaps(s.name, first[s.name], s.newest()) == [] for s in shops), 30)
    for shop in shops:
        head.send(shop.name, {"do": "getStatus", "key": "round"})
    wait_for("an answer of each", lambda: all(head.replies(shop.name, "round") for shop in shops), 30)
    topic = f"posthorn/v1/{ORG}/all/pause"
    began = time.monotonic()
    head.client.publish(topic, json.dumps({"pause": True, "by": "Ms Baker", "at": time.time_ns() // 1000}), qos=1, retain=True)
    wait_for("all paused", lambda: all(shop.api("GET", "getThrottleStatus")["paused"] for shop in shops), 30)
    print(f"  20 shops: every number of {sum(s.newest() - first[s.name] + 1 for s in shops)} events at the centre; all paused after {time.monotonic() - began:.1f} s")
    head.client.publish(topic, json.dumps({"pause": False, "at": time.time_ns() // 1000}), qos=1, retain=True)
    wait_for("all going on", lambda: not any(shop.api("GET", "getThrottleStatus")["paused"] for shop in shops), 30)
    for shop in shops:
        shop.agent.kill()
        shop.daemon.kill()
        world.boxes.remove(shop)


@test
def the_exporter_tells_prometheus(world):
    certificate, key = world.authority.pair("exporter")
    exporter = Child(world.folder / "exporter.log", ROOT / "firmware/fleet/exporter", "--org", ORG, "--host", "127.0.0.1", "--port",
                     world.broker.port, "--ca", world.authority.file, "--certificate", certificate, "--key", key, "--listen", "127.0.0.1:0")
    world.boxes.append(exporter)
    import urllib.request

    text = lambda: urllib.request.urlopen(exporter.hello["url"], timeout=5).read().decode()
    name = world.box.name
    wait_for("the box", lambda: f'posthorn_fleet_online{{box="{name}"}} 1' in text() and f'posthorn_fleet_lane{{box="{name}"}} 0' in text())
    first = world.box.newest()
    for i in range(5):
        world.box.write_in(world.customer, f"counted {i}")
    wait_for("its events", lambda: f'posthorn_fleet_events_total{{box="{name}"}} {world.box.newest() - first}' in text() and world.box.newest() >= first + 5)
    assert f'posthorn_fleet_events_missing_total{{box="{name}"}} 0' in text()
    named = set(re.findall(r"posthorn_fleet_[a-z_]+", (ROOT / "firmware/fleet/alerts.yaml").read_text() + (ROOT / "firmware/fleet/dashboard.json").read_text()))
    given = set(re.findall(r"# TYPE (posthorn_fleet_[a-z_]+)", text()))
    assert named <= given, f"rules or pictures are about what is not there: {named - given}"
    exporter.process.kill()
    world.boxes.remove(exporter)


@test
def what_the_agent_takes(world):
    resident, private = world.box.resident()
    print(f"  posthorn-fleet after all this: {resident / 1024:.1f} MB resident, {private / 1024:.1f} MB private (a build without optimisation is larger)")
    assert resident < 24_000, resident


def run(one, world):
    start = time.monotonic()
    try:
        one(world)
        return f"ok: {one.__name__.replace('_', ' ')} ({time.monotonic() - start:.1f} s)"
    except Exception:
        log = world.box.folder / "agent.log"
        return f"FAILED: {one.__name__.replace('_', ' ')}\n{traceback.format_exc()}\n{log.read_text()[-1500:] if log.exists() else ''}"


def main():
    build, wanted = sys.argv[1], sys.argv[2:]
    chosen = [one for one in TESTS if not wanted or any(word in one.__name__ for word in wanted)]
    began = time.monotonic()
    world = World(build)
    verdicts = []
    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            beside = [pool.submit(run, one, world) for one in chosen if hasattr(one, "alongside")]
            for one in chosen:
                if not hasattr(one, "alongside"):
                    verdicts.append(run(one, world))
                    print(verdicts[-1], flush=True)
            for one in beside:
                verdicts.append(one.result())
                print(verdicts[-1], flush=True)
    finally:
        world.stop()
    failed = sum(1 for verdict in verdicts if verdict.startswith("FAILED"))
    if failed:
        print("left for a look:", world.folder)
    else:
        shutil.rmtree(world.folder, ignore_errors=True)
    print(f"{time.monotonic() - began:.0f} s\n{len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

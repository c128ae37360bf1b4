"""Tests 1 and 3: a box in use. Its receipt reaches a customer, nothing but the data partition is written, and the
power may go at any moment."""

import os
import pathlib
import subprocess
import threading
import time

import block_log
import card
import crash
from machine import Failure, Machine, wait_for
from world import Till, World, introduce

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECEIPT = "Bakery Posthorn\n2 x Bretzel   3.60\nTotal EUR     3.60"
STATES = 100
TILLS = 4
POSTS = 22  # of each till; the API shows at most 100 waiting messages


def run(report, image, folder):
    disk = used_card(report, image, folder)
    before = card.region(disk, 4, folder / "data-before.ext4")
    start, length = card.partitions(disk)[3]
    log = folder / "writes.log"
    log.touch()
    with World(ROOT) as world:
        accepted = in_use(report, world, disk, folder, log, (start, length))
        crash_states(report, accepted, crash.Replay(before, log, start, length, folder), folder)
        after_the_cut(report, world, disk, folder, accepted)
        report.equal("the simulator saw no breach of the protocol", world.ask("violations"), [])


def used_card(report, image, folder):
    """A card that was started once; that of scenario `first` when it has just been."""
    first = folder.parent / "first" / "first.img"
    disk = folder / "card.img"
    if first.exists() and first.stat().st_mtime > image.stat().st_mtime:
        subprocess.run(["cp", "--sparse=always", first, disk], check=True)
        return disk
    card.make(image, disk)
    with Machine(disk, folder, "flashed") as box:
        box.wait_api()
        box.wait_shell()
        box.power_off()
    report.note("a card that was started once")
    return disk


def in_use(report, world, disk, folder, log, data):
    with Machine(disk, folder, "used", block_log=log, simulator=world.port) as box:
        report.note(f"power on to API: {box.wait_api():.0f} s")
        box.wait_shell()
        introduce(box, world)
        till = Till(box)
        till.link(world)
        phone = world.hello["phone"]
        rest_of_the_start(box)
        memory = box.output("awk '/MemTotal/ {a=$2} /MemAvailable/ {b=$2} END {print int((a-b)/1024)}' /proc/meminfo")
        report.note(f"whole system, linked: {memory} MiB of memory in use")
        started = block_log.entries_now(log)
        message = till.send(phone, RECEIPT)
        arrived = wait_for("the receipt on the customer's phone",
                           lambda: [m for m in world.ask("messages") if m["id"] == message], 60)
        report.equal("a posted receipt reaches the Baileys customer, word for word", arrived[0]["text"], RECEIPT)
        accepted = post_until_cut(box, till, log, phone)
        box.cut_power()
    only_data(report, "while it is used", block_log.read(log)[started:], data)
    report.check(f"{len(accepted)} messages were accepted before the power went", len(accepted) >= TILLS * POSTS // 2)
    return accepted


def only_data(report, when, entries, data):
    outside = block_log.written_outside(entries, *data)
    report.check(f"nothing is written outside the data partition {when} ({len(entries)} writes and flushes)",
                 entries and not outside, [(entry.offset, entry.length) for entry in outside[:10]])


def rest_of_the_start(box):
    wait_for("the end of the start", lambda: box.shell("systemctl is-system-running | grep -v starting")[0] == 0, 120)
    box.output("sync")
    time.sleep(2)


def post_until_cut(box, till, log, phone):
    """Several tills post while the box has no way to WhatsApp, so that all waits in its queue. Gives for each
    accepted message how far the log was when its 200 had come."""
    box.shell("systemctl stop simulator.socket simulator.service")
    accepted = {}

    def post(number):
        for count in range(POSTS):
            try:
                message = till.send(phone, f"till {number} receipt {count}")
            except OSError:
                return  # no answer, no promise
            accepted[message] = block_log.entries_now(log)

    tills = [threading.Thread(target=post, args=(number,)) for number in range(TILLS)]
    for thread in tills:
        thread.start()
    for thread in tills:
        thread.join(240)
    return accepted


def crash_states(report, accepted, replay, folder):
    daemon = pathlib.Path(os.environ.get("POSTHORN_DAEMON", ROOT / "build/release/firmware/daemon/posthornd"))
    if not daemon.exists():
        raise Failure(f"{daemon} is missing: cmake --build --preset release --target posthornd")
    first, last = min(accepted.values()) - 20, len(replay.entries)
    cuts = sorted(replay.random.sample(range(first, last), min(STATES, last - first)))
    if len(cuts) < STATES:
        cuts = sorted(replay.random.choices(range(first, last), k=STATES))
    lost, broken, sizes = [], [], []
    for cut in cuts:
        promised = {message for message, position in accepted.items() if position <= cut}
        try:
            data = crash.files_of(replay.state(cut, "crash.ext4"), folder / "crash")
            queue = crash.queued(daemon, data, folder)
        except crash.Unreadable as problem:
            broken.append((cut, str(problem)))
            continue
        sizes.append(len(queue & set(accepted)))
        if promised - queue:
            lost.append((cut, sorted(promised - queue)))
    report.check(f"{len(cuts)} power cuts while {len(accepted)} messages are accepted: every file system and queue opens",
                 not broken, broken[:3])
    report.check("in none of them an acknowledged message is lost", not lost, lost[:3])
    # So that this can fail at all: early cuts must show a shorter queue than late ones.
    report.check("the states differ: the first has few of the messages, the last nearly all",
                 sizes and sizes[0] < len(accepted) // 2 < sizes[-1], sizes)


def after_the_cut(report, world, disk, folder, accepted):
    log = folder / "writes-again.log"
    log.touch()
    with Machine(disk, folder, "again", block_log=log, simulator=world.port) as box:
        report.note(f"power on to API after the cut: {box.wait_api():.0f} s")
        box.wait_shell()
        report.equal("no failed units after a power cut", box.output("systemctl --failed --plain --no-legend"), "")
        introduce(box, world)
        Till(box).wait_online()

        def arrived():
            return [m["id"] for m in world.ask("messages") if m["id"] in accepted]

        wait_for("all accepted messages at the customer", lambda: len(set(arrived())) == len(accepted), 180)
        time.sleep(2)
        report.equal("after the cut every accepted message arrives exactly once", sorted(arrived()), sorted(accepted))
        rest_of_the_start(box)
        box.power_off()
    # The start before wrote the verdict on posthorn.txt once more, because the password in it was gone by then.
    only_data(report, "from power-on to power-off", block_log.read(log), card.partitions(disk)[3])

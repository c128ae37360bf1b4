"""How much a message costs the card, file system included: the block log of a box that sends a hundred."""

import pathlib

import block_log
import card
from machine import Machine, wait_for
from running import ROOT, rest_of_the_start, used_card
from world import Till, World, introduce

MESSAGES = 100
# What a card of the cheapest kind bears before it wears out (100 times its size, as makers say of TLC without naming
# it), for a card of 8 GB.
ENDURES = 100 * 8e9


def run(report, image, folder):
    disk = used_card(report, image, folder)
    log = folder / "writes.log"
    log.touch()
    with World(ROOT) as world, Machine(disk, folder, "wear", block_log=log, simulator=world.port) as box:
        box.wait_api()
        box.wait_shell()
        introduce(box, world)
        till = Till(box)
        till.link(world)
        phone = world.hello["phone"]
        arrive(world, [till.send(phone, "the first message makes the session")])
        rest_of_the_start(box)
        # What the first message left for later is written within half a minute: it is no idleness.
        box.shell("sleep 40; sync", 90)
        idle = measured(log, block_log.entries_now(log), lambda: box.shell("sleep 60", 90))
        one = measured(log, block_log.entries_now(log), lambda: one_by_one(world, till, phone))
        box.output("sync")
        burst = measured(log, block_log.entries_now(log), lambda: at_once(box, world, till, phone))
        box.power_off()
    for what, (count, flushes, size) in (("one after the other", one), ("all at once", burst)):
        report.note(f"{MESSAGES} messages {what}: {size / MESSAGES / 1000:.1f} kB, {count / MESSAGES:.1f} writes and "
                    f"{flushes / MESSAGES:.1f} flushes each; {size / 1e6:.2f} MB in all")
    report.note(f"idle: {idle[2] / 1000:.0f} kB in a minute")
    years = ENDURES / (one[2] / MESSAGES * 300 + idle[2] * 1440) / 365
    report.note(f"by that minute a card of 8 GB that bears 100 times its size lasts {years:.0f} years with 300 messages a day")
    report.check("a message costs the card at most 45 kB", one[2] / MESSAGES <= 45_000, one)


def one_by_one(world, till, phone):
    for count in range(MESSAGES):
        arrive(world, [till.send(phone, f"receipt {count}: 2 x Bretzel 3.60")])


def at_once(box, world, till, phone):
    arrive(world, [till.send(phone, f"receipt {count} of many: 2 x Bretzel 3.60") for count in range(MESSAGES)])
    box.output("sync")


def arrive(world, ids):
    wanted = set(ids)
    wait_for("the messages at the customer", lambda: wanted <= {m["id"] for m in world.ask("messages")}, 240)


def measured(log, first, work):
    """Writes, flushes and bytes of the whole card while `work` is done."""
    work()
    entries = block_log.read(pathlib.Path(log))[first:]
    return (sum(1 for entry in entries if entry.length), sum(1 for entry in entries if entry.is_flush),
            sum(entry.length for entry in entries if not entry.flags & block_log.DISCARD))

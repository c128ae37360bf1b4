"""Updates through hawkBit's device API, by boxes with a pretended daemon."""

import json
import time

from bench import ORG, Child, wait_for
from cases import alongside
from hawkbit import HawkBit, PretendDaemon


class UpdatingBox:
    """An agent with a pretended daemon, which restarts with another slot."""

    def __init__(self, world, hawk, number):
        self.world, self.daemon = world, PretendDaemon()
        self.name = f"till-{number:02}"
        self.folder = world.folder / self.name
        self.folder.mkdir()
        certificate, key = world.authority.pair(self.name)
        for file, source in (("certificate.pem", certificate), ("key.pem", key), ("ca.pem", world.authority.file)):
            (self.folder / file).write_text(source.read_text())
        (self.folder / "access.json").write_text(json.dumps(self.daemon.access))
        (self.folder / "fleet.toml").write_text(
            f'[fleet]\norg = "{ORG}"\n[broker]\nhost = "127.0.0.1"\nport = {world.broker.port}\nspread_s = 1\n[state]\npoll_s = 2\n'
            f'[commands]\ncare = true\n[hawkbit]\nurl = "{hawk.url}"\ngateway_token = "secret"\nconfirm_s = 1\n'
            'install_from = "00:00"\ninstall_to = "00:00"\n')
        self.child = None
        self.start()

    def start(self):
        self.child = Child(self.folder / "agent.log", self.world.programs.fleet, "--config", self.folder / "fleet.toml", "--state", self.folder,
                           "--access", self.folder / "access.json", "--slot", self.daemon.slot, "--boot", self.daemon.boot)

    def cut(self):
        self.child.kill()
        self.start()

    def stop(self):
        self.child.kill()
        self.daemon.stop()


@alongside
def twenty_boxes_are_updated_through_hawkbit(world):
    hawk = HawkBit()
    world.boxes.append(hawk)
    size = 300_000
    for name, begin in (("good", b"SIGNED"), ("unsigned", b"UNSIGNED"), ("dead", b"NO-BOOT")):
        hawk.bundles[name] = begin + bytes(range(256)) * (size // 256)
    boxes = [UpdatingBox(world, hawk, number) for number in range(20)]
    world.boxes.extend(boxes)
    wait_for("attributes of all", lambda: len(hawk.attributes) == 20, 30)
    want = {}
    for number, box in enumerate(boxes):
        bundle, sha256, result = "good", None, "success"
        if number == 0:
            bundle, result = "unsigned", "failure"
        if number == 1:
            bundle, result = "dead", "failure"
        if number == 2:
            sha256, result = "0" * 64, "failure"
        if number == 3:
            box.cancelled = True
            # A line that breaks all the time: it is still downloading when the operator cancels.
            hawk.cut_after[box.name] = 1
        if number in (4, 5):
            hawk.cut_after[box.name] = 100_000
        want[box.name] = result
        if number != 3:
            hawk.offer(box.name, bundle, str(100 + number), sha256)
    hawk.offer(boxes[3].name, "good", "103")
    wait_for("the broken line of the one that is cancelled", lambda: boxes[3].name not in hawk.cut_after)
    hawk.jobs[boxes[3].name]["cancel"] = True
    steps = {boxes[4].name: "download", boxes[6].name: "install", boxes[7].name: "prove"}
    killed = set(steps)
    deadline = time.monotonic() + 80
    while time.monotonic() < deadline and not all(hawk.closed(b.name) for b in boxes):
        for box in boxes:
            job = box.folder / "update.json"
            step = json.loads(job.read_text() or "{}").get("step") if job.exists() else None
            if step and step == steps.get(box.name):
                del steps[box.name]
                box.cut()
            if box.daemon.restart:
                time.sleep(0.1)
                box.daemon.reboot()
                box.cut()
        time.sleep(0.1)
    got = {b.name: hawk.closed(b.name) for b in boxes}
    assert all(len(words) == 1 for words in got.values()), got
    assert not steps, f"not cut: {steps}"
    cancelled = boxes[3].name
    assert {name: words[0][0] for name, words in got.items()} == want, got
    assert "cancelled" in got[cancelled][0][1] and boxes[3].daemon.installs == 0, got[cancelled]
    assert "signature" in got[boxes[0].name][0][1] and "did not get up" in got[boxes[1].name][0][1] and "SHA-256" in got[boxes[2].name][0][1]
    assert boxes[4].name in hawk.ranges and boxes[5].name in hawk.ranges, "a broken download was not resumed"
    for box in boxes:
        slot = "B" if want[box.name] == "success" and box.name != cancelled else "A"
        # Killed between the daemon's word and its own note of it, it asks for the same again.
        most = 2 if box.name in killed else 1
        assert box.daemon.slot == slot and box.daemon.installs <= most, (box.name, box.daemon.slot, box.daemon.installs)
    wait_for("the alert of a failed one", lambda: world.head.json(boxes[0].name, "alert/update"))
    print("  20 boxes, an unsigned bundle, one that does not get up, a wrong hash, a cancellation, two broken downloads, three kills: 20 right ends")
    for box in boxes:
        box.stop()
        world.boxes.remove(box)

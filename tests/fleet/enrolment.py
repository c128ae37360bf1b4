"""How a box comes into a fleet: by hand, by the page (a stand-in of the daemon hands the wish on), and what of it can fail."""

import json
import os
import shutil
import subprocess
import threading

from bench import ORG, Child, openssl, wait_for
from cases import alongside, test
from hawkbit import Handler, Server


class Office:
    """A head office that gives a certificate for any code that begins with "good"."""

    def __init__(self, world, org=ORG):
        self.asked, self.org = [], org
        self.certificate_of = world.authority.sign
        office = self

        class Enrol(Handler):
            def do_POST(self):
                question = json.loads(self.body())
                office.asked.append(question)
                if not question["code"].startswith("good"):
                    return self.answer(("no such code:" + "ü" * 200).encode(), 403)
                return self.answer({"certificate": office.certificate_of(question["csr"]), "ca": world.authority.file.read_text(),
                                    "org": office.org, "host": "127.0.0.1", "port": world.broker.port, "hash_key": "ab" * 32})

        self.server = Server(("127.0.0.1", 0), Enrol)
        self.url = f"http://127.0.0.1:{self.server.server_port}/enrol"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Desk:
    """What posthornd answers to reportFleet."""

    def __init__(self):
        self.token, self.wish, self.reports, self.refused = "t" * 50, {"do": "none"}, [], 0
        desk = self

        class Api(Handler):
            def do_POST(self):
                text = self.body()
                if not self.path.endswith("/reportFleet/" + desk.token):
                    desk.refused += 1
                    return self.answer({}, 401)
                desk.reports.append(json.loads(text))
                wish, desk.wish = desk.wish, {"do": "none"}
                return self.answer(wish)

        self.server = Server(("127.0.0.1", 0), Api)
        self.access = {"url": f"http://127.0.0.1:{self.server.server_port}", "idInstance": 7100000001, "apiTokenInstance": self.token}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class WaitingBox:
    """posthorn-fleet without a certificate, at a desk of its own."""

    def __init__(self, world, name):
        self.world, self.desk, self.office = world, Desk(), Office(world)
        self.folder = world.folder / name
        self.state = self.folder / "state"
        self.state.mkdir(parents=True)
        self.config = self.folder / "fleet.toml"
        (self.folder / "access.json").write_text(json.dumps(self.desk.access))
        self.child = None
        world.boxes.append(self)

    def start(self, before=()):
        self.child = Child(self.folder / "agent.log", *before, self.world.programs.fleet, "--config", self.config, "--state", self.state,
                           "--access", self.folder / "access.json")
        assert self.child.hello == {"box": ""}, "it does not wait"
        return self

    def by_hand(self, *words):
        return subprocess.run([self.world.programs.fleet, "--config", self.config, "--state", self.state, *words],
                              capture_output=True, encoding="utf-8", timeout=30)

    def ask(self, code):
        """A wish of somebody at the page; gives what the box says of it, or None when it ended."""
        self.desk.wish = {"do": "enrol", "url": self.office.url, "code": code, "pin": ""}
        wait_for("the wish to be fetched", lambda: self.desk.wish["do"] == "none")
        before = len(self.desk.reports)
        told = lambda: [report["message"] for report in self.desk.reports[before:] if report["message"]]
        wait_for("an end of the wish", lambda: told() or self.child.process.poll() is not None, 30)
        return told()[-1] if told() else None

    @property
    def enrolled(self):
        return (self.state / "certificate.pem").exists()

    def end(self, within):
        """The status that it ends with by itself."""
        wait_for("its end", lambda: self.child.process.poll() is not None, within)
        return self.child.process.returncode

    def stop(self):
        self.child.stop()
        self.desk.stop()
        self.office.stop()
        self.world.boxes.remove(self)


def settings_of(org):
    return f'[fleet]\norg = "{org}"\n[broker]\nhost = "127.0.0.1"\n'


@test
def enrolment_makes_the_key_on_the_box(world):
    office = Office(world)
    folder = world.folder / "enrolled"
    folder.mkdir()
    program = [world.programs.fleet, "--config", folder / "fleet.toml", "--state", folder / "state", "--access", folder / "run/access.json"]
    for part in ("state", "run"):
        (folder / part).mkdir()
    enrol = lambda code: subprocess.run([*program, "enrol", office.url, code], capture_output=True, encoding="utf-8", timeout=30)
    wrong = enrol("0000-0000")
    assert wrong.returncode == 1 and "no such code" in wrong.stderr, wrong  # not cut within a letter: it could be decoded
    office.certificate_of = lambda _: world.authority.pair("somebody-else")[0].read_text()
    wrong = enrol("good-1")
    assert wrong.returncode == 1 and "not for this box's key" in wrong.stderr, wrong
    assert [file.name for file in (folder / "state").iterdir()] == ["key.pem"] and not (folder / "fleet.toml").exists()
    office.certificate_of = world.authority.sign
    done = enrol("good-2")
    assert done.returncode == 0 and "enrolled as" in done.stdout and "systemctl restart posthorn-fleet" in done.stdout, done
    office.stop()
    assert "PRIVATE" not in json.dumps(office.asked) and (folder / "state/key.pem").stat().st_mode & 0o077 == 0
    name = office.asked[-1]["box"]
    assert name in openssl("x509", "-in", folder / "state/certificate.pem", "-noout", "-subject")
    checked = subprocess.run([*program, "--check-config"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    # Root's step before the service gives it the till's right and no more; then the box is one of the fleet.
    subprocess.run([*program, "--daemon-access", world.box.folder / "data/access.json", "access"], check=True, timeout=30)
    given = json.loads((folder / "run/access.json").read_text())
    assert "careToken" not in given and given["apiTokenInstance"] == world.box.access["apiTokenInstance"], given
    agent = Child(folder / "agent.log", *program)
    world.boxes.append(agent)
    wait_for("the enrolled box", lambda: (world.head.json(name, "online") or {}).get("online"), 30)
    assert "care = true" in world.head.ask(name, "logs", "e1")["body"]["message"]
    agent.stop()
    world.boxes.remove(agent)


@test
def only_the_administrator_gives_the_technicians_right(world):
    """The state folder is the service's own: what stands there must not give it more."""
    folder = world.folder / "rights"
    (folder / "state").mkdir(parents=True)
    (folder / "state/fleet.toml").write_text(settings_of(ORG) + "[commands]\ncare = true\n")
    given = folder / "access.json"
    daemon_access = folder / "daemon.json"
    daemon_access.write_text(json.dumps({**world.box.access, "careToken": "c" * 50}))
    prepare = lambda: subprocess.run([world.programs.fleet, "--config", folder / "fleet.toml", "--state", folder / "state", "--access", given,
                                      "--daemon-access", daemon_access, "access"], timeout=30).returncode
    assert prepare() == 0 and "careToken" not in json.loads(given.read_text())
    shutil.copy(folder / "state/fleet.toml", folder / "fleet.toml")
    assert prepare() == 0 and "careToken" in json.loads(given.read_text())
    # Nor is a link followed that the service has put where root writes.
    (folder / "access.json.part").symlink_to(folder / "victim")
    assert prepare() == 1 and not (folder / "victim").exists()


@alongside
def a_waiting_box_takes_a_code_from_its_page(world):
    box = WaitingBox(world, "waiting")
    # Of an enrolment elsewhere that a power cut ended.
    (box.state / "fleet.toml").write_text(settings_of("elsewhere"))
    box.start()
    assert "no such code" in box.ask("bad")
    # What cannot be kept leaves no half: the box waits on, and the next code does it.
    (box.state / "ca.pem").mkdir()
    assert "ca.pem" in box.ask("good-1") and not box.enrolled
    (box.state / "ca.pem").rmdir()
    assert box.ask("good-2") is None and box.enrolled and box.end(1) == 0
    assert f'org = "{ORG}"' in (box.state / "fleet.toml").read_text()
    box.stop()


@alongside
def settings_of_another_fleet_are_not_taken_for_the_new_one(world):
    box = WaitingBox(world, "moved")
    box.config.write_text(settings_of("elsewhere"))
    box.config.chmod(0o444)
    # As the service, which may not write there.
    as_service = ("setpriv", "--bounding-set", "-dac_override") if os.geteuid() == 0 else ()
    box.start(before=as_service)
    told = box.ask("good-1")
    assert f"{box.config} is of the fleet \"elsewhere\", not \"{ORG}\": remove that file" in told and not box.enrolled, told
    # In the same fleet they are kept.
    kept = settings_of(ORG) + "[events]\nshare = \"none\"\n"
    box.config.unlink()
    box.config.write_text(kept)
    assert box.ask("good-2") is None and box.enrolled and box.end(1) == 0
    assert box.config.read_text() == kept and not (box.state / "fleet.toml").exists()
    box.stop()


@alongside
def a_waiting_box_joins_when_it_is_enrolled_by_hand(world):
    box = WaitingBox(world, "by-hand").start()
    done = box.by_hand("enrol", box.office.url, "good-1")
    assert done.returncode == 0, done
    assert box.end(15) == 0
    box.stop()


@alongside
def a_waiting_box_notices_that_its_token_was_changed(world):
    box = WaitingBox(world, "new-token").start()
    wait_for("a report", lambda: box.desk.reports)
    box.desk.token = "u" * 50
    assert box.end(60) == 1 and box.desk.refused == 3
    box.stop()

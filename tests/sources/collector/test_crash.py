"""Whatever dies, fills up or is cut off: what was answered with 200 is there, once."""

import errno
import http.client
import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from disks import FailingDisk
from door import TRACK, Door, basic
from living import Living

from sources.log.disk import Disk
from sources.log.writer import Writer

WHOLE = os.environ.get("CDP_TEST_WHOLE") == "1"
ROUNDS = 8 if WHOLE else 2
CLIENTS = 32


class Shopper(threading.Thread):
    """Sends events as a kit does: again and again until there is a yes, with the same ids."""

    def __init__(self, living, name, stopping):
        super().__init__(daemon=True)
        self.living, self.label, self.stopping = living, name, stopping
        self.acknowledged = []
        self.repeats = 0

    def run(self):
        for number in itertools.count():
            ids = [f"{self.label}-{number}-{one}" for one in range(1 + number % 3)]
            body = json.dumps({"batch": [{**TRACK, "messageId": name} for name in ids]}).encode()
            while not self.sent(body):
                self.repeats += 1
                time.sleep(0.02)
                if self.stopping.is_set():
                    return
            self.acknowledged += ids
            if self.stopping.is_set():
                return

    def sent(self, body):
        try:
            return self.living.ask("POST", "/v1/batch", body, basic())[0] == 200
        except (OSError, http.client.HTTPException):
            return False


@pytest.mark.slow
def test_kill_9_under_load_loses_nothing_that_was_acknowledged(tmp_path):
    stopping = threading.Event()
    with Living(tmp_path) as living:
        shoppers = [Shopper(living, f"s{number}", stopping) for number in range(CLIENTS)]
        for shopper in shoppers:
            shopper.start()
        for _ in range(ROUNDS):
            time.sleep(random.uniform(0.5, 1.2))
            living.kill()
            living.start()
        time.sleep(0.5)
        stopping.set()
        for shopper in shoppers:
            shopper.join(30)
        assert living.stop() in (0, -15)
        acknowledged = {name for shopper in shoppers for name in shopper.acknowledged}
        kept = Counter(line["messageId"] for line in living.lines())
    assert len(acknowledged) > 100 * ROUNDS
    assert acknowledged <= kept.keys()
    # a line that was on disk when the answer was cut off is sent again; staging takes the first
    assert sum(kept.values()) - len(kept) <= ROUNDS * CLIENTS * 3


class PowerCutDisk(Disk):
    """Knows what was synced; when the power goes the rest is gone, whole pages or half of them."""

    def __init__(self):
        self.paths, self.sizes, self.synced = {}, Counter(), Counter()

    def create(self, path):
        descriptor = super().create(path)
        self.paths[descriptor], self.sizes[path], self.synced[path] = path, 0, 0
        return descriptor

    def write(self, descriptor, data):
        written = super().write(descriptor, data)
        self.sizes[self.paths[descriptor]] += written
        return written

    def sync(self, descriptor):
        path = self.paths[descriptor]
        before = self.sizes[path]
        super().sync(descriptor)
        self.synced[path] = before

    def cut(self, dice):
        for path, synced in self.synced.items():
            if path.exists():
                os.truncate(path, synced + dice.randint(0, self.sizes[path] - synced))


class NeverSynced(PowerCutDisk):
    """What a log would be that says yes too early."""

    def sync(self, descriptor):
        pass


def tracked(door, name):
    return door.track(messageId=name).status_code


@pytest.mark.parametrize(("kind", "is_safe"), [(PowerCutDisk, True), (NeverSynced, False)])
def test_a_power_cut_takes_only_what_was_not_acknowledged(tmp_path, kind, is_safe):
    dice, lost = random.Random(7), 0
    for run in range(10 if WHOLE else 3):
        disk = kind()
        door = Door(tmp_path / str(run), log=Writer(tmp_path / str(run) / "log", disk=disk))
        with ThreadPoolExecutor(8) as clients:
            names = [f"m{number}" for number in range(60)]
            answers = list(clients.map(partial(tracked, door), names))
        acknowledged = {name for name, answer in zip(names, answers, strict=True) if answer == 200}
        disk.cut(dice)
        after = Door(tmp_path / str(run))
        lost += len(acknowledged - {line["messageId"] for line in after.lines()})
        after.log.close()
    assert (lost == 0) is is_safe


@pytest.mark.parametrize("fits", range(0, 900, 90))
def test_a_full_disk_is_503_and_leaves_no_torn_middle(tmp_path, fits):
    disk = FailingDisk()
    door = Door(tmp_path, log=Writer(tmp_path / "log", disk=disk))
    assert door.track(messageId="before").status_code == 200
    disk.write_stops_after = fits
    answer = door.batch(*({**TRACK, "messageId": f"lost{n}"} for n in range(5)))
    assert (answer.status_code, answer.json()["code"]) == (503, "log_full")
    assert int(answer.headers["retry-after"]) > 0
    assert door.ask("GET", "/healthz").status_code == 503
    again = door.batch(*({**TRACK, "messageId": f"lost{n}"} for n in range(5)))
    assert again.status_code == 200
    assert door.ask("GET", "/healthz").status_code == 200
    assert [line["messageId"] for line in door.lines()] == ["before", *(f"lost{n}" for n in range(5))]
    door.log.close()


def test_below_the_free_space_that_is_kept_nothing_is_taken(tmp_path):
    disk = FailingDisk()
    door = Door(tmp_path, log=Writer(tmp_path / "log", disk=disk))
    disk.free_bytes = 1000
    assert door.track().status_code == 503
    assert door.lines() == []
    door.log.close()


def test_a_sync_that_failed_is_never_a_yes(tmp_path):
    disk = FailingDisk()
    door = Door(tmp_path, log=Writer(tmp_path / "log", disk=disk))
    disk.sync_fails = True
    answer = door.track()
    assert (answer.status_code, answer.json()["code"]) == (503, "log_failed")
    assert door.track().status_code == 200
    assert [line["messageId"] for line in door.lines()] == ["m1"]
    door.log.close()


def test_no_room_for_the_ids_loses_no_event(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full)
    door = Door(tmp_path)
    assert [door.track().status_code, door.track().status_code] == [200, 200]
    assert len(door.lines()) == 2
    door.log.close()


def test_a_replay_adds_nothing(tmp_path):
    bodies = [{"batch": [{**TRACK, "messageId": f"{n}-{one}"} for one in range(20)]} for n in range(10)]
    with Living(tmp_path) as living:
        for body in bodies:
            assert living.post("/v1/batch", body) == 200
        before = living.lines()
        living.kill()
        living.start()
        for body in bodies:
            assert living.post("/v1/batch", body) == 200
        assert living.lines() == before
        assert len(before) == 200


def test_shutdown_drains_and_seals(tmp_path):
    with Living(tmp_path) as living, ThreadPoolExecutor(16) as clients:
        sending = [clients.submit(living.post, "/v1/track", {**TRACK, "messageId": f"m{n}"}) for n in range(300)]
        time.sleep(0.1)
        living.stop()
        yes = sum(1 for one in sending if one.exception() is None and one.result() == 200)
        lines = living.lines()
    assert len(lines) >= yes > 0
    assert all(file.suffix == ".sealed" for file in (tmp_path / "log" / "web_events.events").iterdir())


def test_several_workers_share_a_port_and_the_ids(tmp_path):
    with Living(tmp_path, workers=2) as living:
        while not all(f'worker="{name}"' in living.ask("GET", "/metrics")[1].decode() for name in ("w0", "w1")):
            time.sleep(0.05)  # both have begun to measure themselves, so both listen
        for number in range(60):
            assert living.post("/v1/track", {**TRACK, "messageId": f"m{number % 30}"}) == 200
        lines = living.lines()
        assert len({line["messageId"] for line in lines}) == 30
        assert len(lines) <= 32  # a table of ids that another worker has just begun is found within a second
        time.sleep(1.5)
        samples = living.ask("GET", "/metrics")[1].decode()
        living.stop()
    counted = [line for line in samples.split("\n") if line.startswith("cdp_collector_events_total")]
    assert sum(float(line.rpartition(" ")[2]) for line in counted if 'outcome="accepted"' in line) == len(lines)
    assert {file.name.partition("-")[0] for file in (tmp_path / "log" / "web_events.events").iterdir()} == {"w0", "w1"}

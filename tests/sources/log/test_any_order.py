"""Whatever happens in whatever order: each acknowledged line is read exactly once, and nothing torn is read."""

import json
import os
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from disks import FailingDisk
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sources.log.reader import Reader
from sources.log.refusals import LogRefused
from sources.log.writer import Limits, Writer

LANES = st.sampled_from(["shop.visits", "quarantine"])
WORKERS = st.sampled_from(["w0", "w1"])


class AnyOrder(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.disks = {"w0": FailingDisk(), "w1": FailingDisk()}
        self.writers = {worker: self.started(worker) for worker in self.disks}
        self.number = 0
        self.offered, self.acknowledged, self.read = set(), set(), Counter()
        self.positions = {}

    def started(self, worker):
        return Writer(self.root, worker, Limits(segment_bytes=300), self.disks[worker])

    def lines(self, count, size):
        made = []
        for _ in range(count):
            self.number += 1
            made.append(json.dumps({"id": self.number, "filler": "é" * size}, ensure_ascii=False).encode())
        self.offered.update(made)
        return made

    @rule(worker=WORKERS, lane=LANES, count=st.integers(1, 4), size=st.integers(0, 80))
    def append(self, worker, lane, count, size):
        lines = self.lines(count, size)
        with suppress(LogRefused):
            self.writers[worker].append_now(lane, lines)
            self.acknowledged.update((lane, line) for line in lines)

    @rule(worker=WORKERS, after=st.integers(0, 400))
    def the_disk_fills_up(self, worker, after):
        self.disks[worker].write_stops_after = after

    @rule(worker=WORKERS)
    def a_sync_fails(self, worker):
        self.disks[worker].sync_fails = True

    @rule(worker=WORKERS)
    def a_file_can_not_be_made(self, worker):
        self.disks[worker].create_fails = True

    @rule(worker=WORKERS)
    def restart(self, worker):
        self.writers[worker].close()
        self.writers[worker] = self.started(worker)

    @rule(worker=WORKERS, lane=LANES, count=st.integers(1, 3), cut=st.integers(0, 200), hole=st.integers(0, 20))
    def power_cut(self, worker, lane, count, cut, hole):
        """What was on its way to the disk is there up to any byte, after a hole or without one."""
        die(self.writers[worker])
        for path in (self.root / lane).glob(f"{worker}-*.ndjson"):
            unsynced = b"\n".join(self.lines(count, 10)) + b"\n"
            with path.open("ab") as file:
                file.write(b"\0" * hole + unsynced[:cut])
        self.writers[worker] = self.started(worker)

    @rule(lane=LANES, limit=st.integers(1, 1000))
    def look(self, lane, limit):
        lines, position = Reader(self.root).read(lane, self.positions.get(lane, {}), limit)
        self.positions[lane] = json.loads(json.dumps(position))
        self.read.update((lane, line) for line in lines)

    @invariant()
    def nothing_torn_was_read(self):
        assert {line for _, line in self.read} <= self.offered

    @invariant()
    def nothing_was_read_twice(self):
        assert set(self.read.values()) <= {1}

    def teardown(self):
        for worker, writer in self.writers.items():
            writer.close()
            self.disks[worker] = FailingDisk()
            self.started(worker).close()
        for lane in ("shop.visits", "quarantine"):
            while True:
                before = self.positions.get(lane, {})
                self.look(lane, 200)
                if self.positions[lane] == before:
                    break
            assert Reader(self.root).lag(lane, self.positions[lane]) == 0
        self.nothing_torn_was_read()
        self.nothing_was_read_twice()
        assert self.acknowledged <= set(self.read)
        self.folder.cleanup()


def die(writer):
    """End as a killed process does: nothing is sealed, and the name is free."""
    writer._queue.close()
    writer._thread.join()
    writer._slot.release()


AnyOrder.TestCase.settings = settings(
    max_examples=400 if os.environ.get("CDP_TEST_WHOLE") else 30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_any_order = pytest.mark.slow(AnyOrder.TestCase)

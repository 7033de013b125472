"""Ids are remembered for a day at least, by all workers, through restarts, in bounded space."""

import shutil
import subprocess
import sys

import pytest

from sources.collector import deduplication
from sources.collector import marks as marks_of
from sources.collector.deduplication import Memory, fingerprint

HOUR = 3600.0
START = 1_767_225_600.0  # midnight


@pytest.fixture(autouse=True, params=["shared memory", "files"])
def shared(request, tmp_path_factory, monkeypatch):
    """Both places of the tables; what stands for shared memory is lost with the machine."""
    folder = tmp_path_factory.mktemp("shared")
    monkeypatch.setattr(deduplication.place, "__defaults__", (folder,))
    if request.param == "files":
        monkeypatch.setattr(marks_of, "NEEDED", 1 << 62)
    return folder


def marks(count, seed=1):
    return [fingerprint(f"id-{number}".encode(), seed) for number in range(count)]


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_what_was_added_is_known_and_nothing_else(tmp_path):
    memory = Memory(tmp_path, 1000)
    memory.add(marks(500))
    assert all(memory.has(mark) for mark in marks(500))
    assert not any(memory.has(mark) for mark in marks(5000, seed=2))


def test_more_ids_than_expected_are_all_remembered(tmp_path):
    memory = Memory(tmp_path, 1000)
    memory.add(marks(60_000))
    assert all(memory.has(mark) for mark in marks(60_000))
    assert len(memory._tables) < 8


@pytest.mark.parametrize("begun_at", [0, 11, 23.9])
def test_an_id_is_known_for_24_hours_and_forgotten_after_48(tmp_path, clock, begun_at):
    clock.now += begun_at * HOUR
    memory = Memory(tmp_path, 1000, clock=clock)
    memory.add(marks(10))
    for hours, is_known in [(23.9, True), (24.1, False)]:
        clock.now += hours * HOUR
        memory.turn()
        assert all(memory.has(mark) for mark in marks(10)) or not is_known
    assert not any(memory.has(mark) for mark in marks(10))
    assert len(list(tmp_path.glob("*.ids"))) <= 2


def test_a_restart_forgets_nothing(tmp_path):
    Memory(tmp_path, 1000).add(marks(100))
    assert all(Memory(tmp_path, 1000).has(mark) for mark in marks(100))


def test_the_end_of_the_machine_forgets_nothing_that_was_kept(tmp_path, shared, clock):
    memory = Memory(tmp_path, 1000, clock=clock)
    memory.add(marks(50, seed=2))
    memory.keep()
    clock.now += 20 * HOUR
    memory.turn()
    memory.add(marks(3000))
    memory.keep()
    memory.add(marks(1, seed=3))
    shutil.rmtree(shared)
    shared.mkdir()
    clock.now += 10 * HOUR
    after = Memory(tmp_path, 1000, clock=clock)
    assert all(after.has(mark) for mark in [*marks(50, seed=2), *marks(3000)])
    clock.now += 48 * HOUR
    after.turn()
    assert list(tmp_path.glob("*.marks")) == []


def test_a_folder_made_anew_remembers_nothing(tmp_path, shared):
    state = tmp_path / "state"
    Memory(state, 1000).add(marks(10))
    shutil.rmtree(state)
    assert not any(Memory(state, 1000).has(mark) for mark in marks(10))
    assert len(list(shared.iterdir())) <= 1


def test_what_another_worker_took_is_known_here(tmp_path, shared):
    memory = Memory(tmp_path, 1000)
    code = (
        "from pathlib import Path; from sources.collector import marks;"
        "from sources.collector.deduplication import Memory, fingerprint, place;"
        f"place.__defaults__ = (Path({str(shared)!r}),); marks.NEEDED = {marks_of.NEEDED};"
        f"Memory(Path({str(tmp_path)!r}), 1000).add([fingerprint(b'id-7', 1)])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert memory.has(fingerprint(b"id-7", 1))


def test_tables_of_another_worker_are_found(tmp_path):
    first, second = Memory(tmp_path, 1000), Memory(tmp_path, 1000)
    first.add(marks(20_000))
    second.turn()
    assert all(second.has(mark) for mark in marks(20_000))


def test_space_is_bounded_and_the_newest_stay(tmp_path, clock):
    memory = Memory(tmp_path, 1000, bytes_kept=400_000, clock=clock)
    memory.add(marks(30_000))
    clock.now += 24 * HOUR
    memory.turn()
    memory.add(marks(2000, seed=2))
    memory.turn()
    assert sum(file.stat().st_size for file in tmp_path.glob("*.ids")) <= 400_000
    assert all(memory.has(mark) for mark in marks(2000, seed=2))

"""Ids are remembered for a day at least, by all workers, through restarts, in bounded space."""

import subprocess
import sys

import pytest

from sources.collector.deduplication import Memory, fingerprint

HOUR = 3600.0
START = 1_767_225_600.0  # midnight


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
    assert len(list(tmp_path.iterdir())) < 8


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
    assert len(list(tmp_path.iterdir())) <= 2


def test_a_restart_forgets_nothing(tmp_path):
    Memory(tmp_path, 1000).add(marks(100))
    assert all(Memory(tmp_path, 1000).has(mark) for mark in marks(100))


def test_what_another_worker_took_is_known_here(tmp_path):
    memory = Memory(tmp_path, 1000)
    code = (
        "from pathlib import Path; from sources.collector.deduplication import Memory, fingerprint;"
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
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 400_000
    assert all(memory.has(mark) for mark in marks(2000, seed=2))


def test_a_fingerprint_that_ends_in_zeros_does_not_lose_the_next(tmp_path):
    memory = Memory(tmp_path, 1000)
    wanted = [bytes([number, 0, 0, 0, 0, 0, 0, 8]) for number in range(1, 12)]
    wanted = [mark[::-1][:6] + b"\0\0" for mark in wanted]
    memory.add(wanted)
    assert all(memory.has(mark) for mark in wanted)

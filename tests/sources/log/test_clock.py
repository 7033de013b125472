"""When lines were on disk can be asked for an hour, and never stands in anybody's way."""

import os
import time

import numpy as np
import pytest

from sources.log import clock
from sources.log.reader import Reader
from sources.log.writer import Writer

LANE = "web_events.events"


@pytest.fixture
def writer(tmp_path):
    writer = Writer(tmp_path)
    yield writer
    writer.close()


def stored(root):
    """When each line was on disk, as far as known."""
    slices, _ = Reader(root).slices(LANE, {}, 1 << 20)
    return np.concatenate(
        [
            clock.stored_at(
                clock.read(root / LANE, piece.segment), np.array([at for at, _ in piece.lines()], dtype="int64")
            )
            for piece in slices
        ]
    )


def test_each_line_has_the_moment_of_its_commit(writer, tmp_path):
    before = np.datetime64(time.time_ns() // 1_000, "us")
    writer.append_now(LANE, [b"a", b"b"])
    time.sleep(0.02)
    writer.append_now(LANE, [b"c"])
    first, second, third = stored(tmp_path)
    assert before <= first == second < third <= np.datetime64(time.time_ns() // 1_000, "us")


def test_without_it_nothing_is_known_and_nothing_fails(writer, tmp_path):
    writer.append_now(LANE, [b"a"])
    for path in (tmp_path / ".clock" / LANE).iterdir():
        path.write_bytes(path.read_bytes()[:-1])  # torn
    assert np.isnat(stored(tmp_path)).all()
    assert Reader(tmp_path).lanes() == [LANE]


def test_a_disk_without_room_for_it_takes_lines(tmp_path):
    (tmp_path / ".clock").touch()  # no folder can be made
    writer = Writer(tmp_path)
    writer.append_now(LANE, [b"a"])
    writer.close()
    assert np.isnat(stored(tmp_path)).all()


def test_what_is_older_than_an_hour_goes(tmp_path):
    first = Writer(tmp_path)
    first.append_now(LANE, [b"a"])
    first.close()
    [old] = (tmp_path / ".clock" / LANE).iterdir()
    os.utime(old, (time.time() - clock.KEPT - 1,) * 2)
    second = Writer(tmp_path)
    second.append_now(LANE, [b"b"])
    second.close()
    assert not old.exists()

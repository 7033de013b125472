import contextlib
import json
import os
import time

import pytest

from sources.log.followers import Followers, delete_read
from sources.log.reader import Reader
from sources.log.writer import Limits, Writer

LANE = "shop.visits"
DAYS = 86_400


@pytest.fixture
def writer(tmp_path):
    writer = Writer(tmp_path, "w0", Limits(segment_bytes=1))
    yield writer
    writer.close()


def everything(tmp_path, limit):
    reader, position, found = Reader(tmp_path), {}, []
    while True:
        lines, after = reader.read(LANE, position, limit)
        if after == position:
            return found
        found, position = found + lines, after


def test_a_lane_nobody_wrote_is_empty(tmp_path):
    assert Reader(tmp_path / "none").lanes() == []
    assert Reader(tmp_path).read(LANE, {}, 100) == ([], {})


@pytest.mark.parametrize("limit", [1, 30, 100_000])
def test_pages_of_any_size_give_the_same_lines(tmp_path, writer, limit):
    lines = [json.dumps({"n": n, "filler": "x" * (n % 40)}).encode() for n in range(30)]
    for line in lines:
        writer.append_now(LANE, [line])
    assert everything(tmp_path, limit) == lines


def test_a_busy_worker_does_not_hold_up_the_others(tmp_path, writer):
    for number in range(50):
        writer.append_now(LANE, [f'{{"n":{number}}}'.encode()])
    other = Writer(tmp_path, "w1")
    other.append_now(LANE, [b'{"other":1}'])
    other.close()
    assert b'{"other":1}' in Reader(tmp_path).read(LANE, {}, 100)[0]


def test_a_position_is_json_and_says_how_much_is_left(tmp_path, writer):
    writer.append_now(LANE, [b'{"a":1}'])
    reader = Reader(tmp_path)
    position = json.loads(json.dumps(reader.end(LANE)))
    assert reader.lag(LANE, {}) == 8
    assert reader.lag(LANE, position) == 0
    writer.append_now(LANE, [b'{"a":22}'])
    assert reader.lag(LANE, position) == 9
    assert reader.read(LANE, position, 100)[0] == [b'{"a":22}']


def test_each_line_has_a_name(tmp_path):
    writer = Writer(tmp_path, "w0")
    writer.append_now(LANE, [b'{"a":1}', b'{"a":2}'])
    slices, _ = Reader(tmp_path).slices(LANE, {}, 1000)
    assert [list(piece.lines()) for piece in slices] == [[(0, b'{"a":1}'), (8, b'{"a":2}')]]
    writer.close()


def test_a_folder_that_is_at_rest_is_not_listed_again(tmp_path, writer, monkeypatch):
    writer.append_now(LANE, [b"{}"])
    writer.close()
    os.utime(tmp_path / LANE, (time.time() - 60,) * 2)
    reader = Reader(tmp_path)
    position = reader.read(LANE, {}, 100)[1]
    monkeypatch.setattr(os, "listdir", lambda _: pytest.fail("listed"))
    assert reader.read(LANE, position, 100) == ([], position)


def aged(tmp_path):
    """Make all segments old. A segment is sealed after its last line was answered: a name may just be changing."""
    is_done = False
    while not is_done:
        with contextlib.suppress(FileNotFoundError):
            for path in (tmp_path / LANE).iterdir():
                os.utime(path, (time.time() - 10 * DAYS,) * 2)
            is_done = True


def test_only_what_every_follower_has_read_is_deleted(tmp_path, writer):
    for number in range(4):
        writer.append_now(LANE, [f'{{"n":{number}}}'.encode()])
    aged(tmp_path)
    reader, followers = Reader(tmp_path), Followers(tmp_path)
    followers.say("owner", LANE, reader.end(LANE))
    two = reader.read(LANE, reader.read(LANE, {}, 1)[1], 1)[1]
    followers.say("warehouse", LANE, two)
    assert delete_read(tmp_path, 7, ["warehouse", "never seen"]) == []
    assert len(delete_read(tmp_path, 7, ["warehouse"])) == 1
    assert reader.read(LANE, two, 100)[0] == [b'{"n":2}', b'{"n":3}']


def test_young_segments_and_the_newest_stay(tmp_path, writer):
    for number in range(3):
        writer.append_now(LANE, [f'{{"n":{number}}}'.encode()])
    Followers(tmp_path).say("owner", LANE, {"w0": ["w0-9999999999999-1", 0]})
    assert delete_read(tmp_path, 7) == []
    aged(tmp_path)
    assert len(delete_read(tmp_path, 7)) == 2
    assert len(list((tmp_path / LANE).iterdir())) == 1


def test_without_followers_nothing_is_deleted(tmp_path, writer):
    for number in range(3):
        writer.append_now(LANE, [f'{{"n":{number}}}'.encode()])
    aged(tmp_path)
    assert delete_read(tmp_path, 0) == []

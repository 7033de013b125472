"""Appending: what was acknowledged is on disk, everyone shares the syncs, and little waits."""

import asyncio
import threading
import time

import pytest
from lane_files import LANE, names, read

from sources.log.reader import Reader
from sources.log.refusals import LogBusy, LogFailed


def test_what_is_acknowledged_is_synced_and_can_be_read_at_once(begin, disk, tmp_path):
    writer = begin()
    writer.append_now(LANE, [b'{"a":1}', b'{"a":2}'])
    assert read(tmp_path) == [b'{"a":1}', b'{"a":2}']
    assert len(disk.synced) == 1


def test_appends_from_coroutines_share_syncs(begin, disk, tmp_path):
    async def main():
        writer = begin()
        await asyncio.gather(*(writer.append(LANE, [b"{}"]) for _ in range(500)))

    asyncio.run(main())
    assert len(read(tmp_path)) == 500
    assert len(disk.synced) < 50


def test_lanes_are_apart(begin, tmp_path):
    writer = begin()
    writer.append_now(LANE, [b'{"a":1}'])
    writer.append_now("quarantine", [b'{"b":1}'])
    assert Reader(tmp_path).lanes() == ["quarantine", LANE]
    assert read(tmp_path, "quarantine") == [b'{"b":1}']


@pytest.mark.parametrize("line", [b'{"a":\n1}', b'{"a":"\0"}'])
def test_a_line_with_a_break_or_a_nul_is_the_callers_mistake(begin, line):
    with pytest.raises(ValueError, match="line break or a NUL"):
        begin().append_now(LANE, [line])


@pytest.mark.parametrize("lane", ["../up", "Shop", "a.b.c", ""])
def test_a_lane_is_no_path(begin, lane):
    with pytest.raises(ValueError, match="no lane"):
        begin().append_now(lane, [b"{}"])


def test_waiting_bytes_are_bounded(begin, disk):
    writer = begin(waiting_bytes=100)
    go_on, held = threading.Event(), threading.Event()

    def slow(descriptor):
        held.set()
        go_on.wait(5)

    disk.sync = slow

    async def main():
        first = asyncio.ensure_future(writer.append(LANE, [b"{}" + b" " * 58]))
        await asyncio.to_thread(held.wait, 5)
        second = asyncio.ensure_future(writer.append(LANE, [b"{}" + b" " * 30]))
        await asyncio.sleep(0)
        assert writer.waiting_bytes <= 100
        with pytest.raises(LogBusy):
            await writer.append(LANE, [b"{}" + b" " * 30])
        go_on.set()
        await asyncio.gather(first, second)

    asyncio.run(main())
    assert writer.waiting_bytes == 0


def test_one_append_larger_than_the_bound_is_taken_when_nothing_waits(begin, tmp_path):
    begin(waiting_bytes=10).append_now(LANE, [b"{}" + b" " * 100])
    assert len(read(tmp_path)) == 1


def test_a_segment_is_sealed_when_it_is_large_enough(begin, tmp_path):
    writer = begin(segment_bytes=10)
    for number in range(3):
        writer.append_now(LANE, [f'{{"a":{number}00}}'.encode()])
    writer.close()
    assert [name.endswith(".ndjson.sealed") for name in names(tmp_path)] == [True] * 3


def test_a_segment_is_sealed_when_it_is_old_enough_and_an_idle_lane_makes_no_file(begin, tmp_path):
    writer = begin(segment_seconds=0.05)
    writer.append_now(LANE, [b"{}"])
    until = time.monotonic() + 5
    while not names(tmp_path)[0].endswith("sealed") and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(names(tmp_path)) == 1
    assert names(tmp_path)[0].endswith("sealed")


def test_draining_writes_what_waits_and_takes_no_more(begin, tmp_path):
    async def main():
        writer = begin()
        waiting = [asyncio.ensure_future(writer.append(LANE, [b"{}"])) for _ in range(20)]
        await asyncio.sleep(0)
        await writer.drain()
        await asyncio.gather(*waiting)
        with pytest.raises(LogFailed, match="closed"):
            await writer.append(LANE, [b"{}"])

    asyncio.run(main())
    assert len(read(tmp_path)) == 20
    assert all(name.endswith("sealed") for name in names(tmp_path))


def test_a_client_that_hangs_up_does_not_disturb_the_others(begin, tmp_path):
    async def main():
        writer = begin()
        gone = asyncio.ensure_future(writer.append(LANE, [b'{"a":1}']))
        stays = asyncio.ensure_future(writer.append(LANE, [b'{"a":2}']))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    asyncio.run(main())
    assert b'{"a":2}' in read(tmp_path)

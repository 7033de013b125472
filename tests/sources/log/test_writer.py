import asyncio
import json
import os
import threading
import time

import pytest
from disks import FailingDisk

from sources.log.followers import Followers
from sources.log.reader import Reader
from sources.log.refusals import LogBusy, LogFailed, LogFull
from sources.log.writer import Limits, Writer

LANE = "shop.visits"


@pytest.fixture
def disk():
    return FailingDisk()


@pytest.fixture
def begin(tmp_path, disk):
    """Start writers on one folder, and end them with the test."""
    writers = []

    def begun(worker="w0", **limits):
        writers.append(Writer(tmp_path, worker, Limits(**limits), disk))
        return writers[-1]

    yield begun
    for writer in writers:
        writer.close()


def read(tmp_path, lane=LANE):
    return Reader(tmp_path).read(lane, {}, 1 << 30)[0]


def names(tmp_path, lane=LANE):
    return sorted(path.name for path in (tmp_path / lane).iterdir())


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


def test_a_full_disk_leaves_nothing_torn_and_the_next_line_goes_on(begin, disk, tmp_path):
    writer = begin()
    writer.append_now(LANE, [b'{"a":1}'])
    disk.write_stops_after = 5
    with pytest.raises(LogFull):
        writer.append_now(LANE, [b'{"a":2}'])
    writer.append_now(LANE, [b'{"a":3}'])
    assert read(tmp_path) == [b'{"a":1}', b'{"a":3}']
    assert sorted(path.read_bytes() for path in (tmp_path / LANE).iterdir()) == [b'{"a":1}\n', b'{"a":3}\n']


def test_space_is_kept_free(begin, disk):
    writer = begin(free_bytes=1000)
    disk.free_bytes = 1000
    with pytest.raises(LogFull, match="MB are left"):
        writer.append_now(LANE, [b"{}"])
    disk.free_bytes = 2000
    writer.append_now(LANE, [b"{}"])


def test_a_full_disk_makes_no_heap_of_empty_files(begin, disk, tmp_path):
    writer = begin()
    for _ in range(5):
        disk.write_stops_after = 3
        with pytest.raises(LogFull):
            writer.append_now(LANE, [b'{"a":1}'])
    assert names(tmp_path) == []


def test_a_failed_sync_is_never_tried_again_on_the_same_file(begin, disk, tmp_path):
    writer = begin()
    writer.append_now(LANE, [b'{"a":1}'])
    disk.sync_fails = True
    with pytest.raises(LogFailed, match="EIO"):
        writer.append_now(LANE, [b'{"a":2}'])
    writer.append_now(LANE, [b'{"a":3}'])
    assert read(tmp_path) == [b'{"a":1}', b'{"a":3}']
    assert [name.endswith("sealed") for name in sorted(names(tmp_path), key=len)] == [False, True]


def test_a_lane_that_fails_does_not_stop_the_other(begin, disk, tmp_path):
    """Both wait for the same commit."""

    async def main():
        writer = begin()
        disk.create_fails = True
        return await asyncio.gather(
            writer.append(LANE, [b"{}"]), writer.append("quarantine", [b"{}"]), return_exceptions=True
        )

    first, second = asyncio.run(main())
    assert isinstance(first, LogFull)
    assert second is None
    assert read(tmp_path, "quarantine") == [b"{}"]


def test_a_reader_behind_the_cut_goes_on_with_the_next_segment(begin, disk, tmp_path):
    """It had seen a line that was then refused; the next one is not taken for its rest."""
    writer = begin()
    seen = {}

    def failing(descriptor):
        seen["lines"], seen["position"] = Reader(tmp_path).read(LANE, {}, 1000)
        raise OSError(5, "EIO")

    disk.sync = failing
    with pytest.raises(LogFailed):
        writer.append_now(LANE, [b'{"a":"long and never acknowledged"}'])
    del disk.sync
    writer.append_now(LANE, [b'{"a":1}'])
    assert len(seen["lines"]) == 1
    assert Reader(tmp_path).read(LANE, seen["position"], 1000)[0] == [b'{"a":1}']


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


def test_two_processes_never_share_a_name(begin, tmp_path, monkeypatch):
    monkeypatch.setattr("sources.log.slot.PATIENCE", 0.1)
    assert [begin(None).worker, begin(None).worker] == ["w0", "w1"]
    with pytest.raises(LogFailed, match="another process writes the log as w1"):
        begin("w1")


def test_a_worker_that_does_not_come_back_is_tidied_up_by_another(begin, tmp_path):
    folder = tmp_path / LANE
    folder.mkdir()
    (folder / "w7-1000-1.ndjson").write_bytes(b'{"a":1}\n{"a":')
    begin("w0")
    assert names(tmp_path) == ["w7-1000-1.ndjson.sealed"]
    assert read(tmp_path) == [b'{"a":1}']


def test_a_torn_end_is_not_read_before_it_is_repaired_either(tmp_path):
    folder = tmp_path / LANE
    folder.mkdir()
    (folder / "w7-1000-1.ndjson").write_bytes(b'{"a":1}\n{"a":\0\0\0"x"}\n{"a":2}\n')
    assert read(tmp_path) == [b'{"a":1}']


def test_a_clock_set_back_does_not_hide_new_lines(begin, tmp_path, monkeypatch):
    first = begin()
    first.append_now(LANE, [b'{"a":1}'])
    _, position = Reader(tmp_path).read(LANE, {}, 1000)
    first.close()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    begin().append_now(LANE, [b'{"a":2}'])
    assert Reader(tmp_path).read(LANE, position, 1000)[0] == [b'{"a":2}']


def test_the_file_and_its_name_are_synced_before_the_answer(tmp_path):
    """A power cut between the sync and the answer costs nothing: the order of the calls, as they were made."""
    called = []

    class Watched(FailingDisk):
        def sync_folder(self, path):
            called.append(("folder", path.name))
            super().sync_folder(path)

        def sync(self, descriptor):
            called.append(("file", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))  # noqa: PTH115, PTH119
            super().sync(descriptor)

    writer = Writer(tmp_path / "log", "w0", disk=Watched())
    writer.append_now(LANE, [json.dumps({"a": 1}).encode()])
    called.append("answered")
    writer.close()
    kinds = [call[0] if isinstance(call, tuple) else call for call in called]
    assert kinds[-3:] == ["folder", "file", "answered"]
    assert ("folder", "log") in called
    assert ("folder", LANE) in called


def test_what_is_old_and_read_is_deleted_while_writing(begin, tmp_path):
    first = begin(segment_bytes=1)
    for number in range(3):
        first.append_now(LANE, [f'{{"a":{number}}}'.encode()])
    first.close()
    Followers(tmp_path).say("warehouse", LANE, Reader(tmp_path).end(LANE))
    begin("w1", keep_days=0, followers=("warehouse",)).append_now(LANE, [b"{}"])
    until = time.monotonic() + 5
    while len(names(tmp_path)) > 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert [name.split("-")[0] for name in names(tmp_path)] == ["w0", "w1"]

"""A disk that is full or fails leaves nothing torn, and nothing that wasn't synced counts."""

import asyncio
import json
import os

import pytest
from disks import FailingDisk
from lane_files import LANE, names, read

from sources.log.reader import Reader
from sources.log.refusals import LogFailed, LogFull
from sources.log.writer import Writer


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

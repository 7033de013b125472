"""Workers have names and segments of their own, and tidy up after one that doesn't come back."""

import time

import pytest
from lane_files import LANE, names, read

from sources.log.followers import Followers
from sources.log.reader import Reader
from sources.log.refusals import LogFailed


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

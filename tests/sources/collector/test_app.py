"""What is not on disk is never 200, and a fault says nothing of the event."""

import gc
import logging
import weakref

import pytest
from door import SENDERS, TRACK, Door
from msgspec.structs import replace

from sources.collector.app import Collector
from sources.collector.settings import Limits, Settings
from sources.log.refusals import LogBusy, LogFailed, LogFull

# pressure


class Refusing:
    """A log that takes nothing."""

    def __init__(self, error):
        self.error = error

    def submit(self, *_):
        raise self.error

    def close(self):
        pass


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(LogBusy("x"), 429, "log_busy"), (LogFull("x"), 503, "log_full"), (LogFailed("x"), 503, "log_failed")],
)
def test_what_is_not_on_disk_is_never_200(tmp_path, error, status, code):
    door = Door(tmp_path, log=Refusing(error))
    answer = door.track()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert int(answer.headers["retry-after"]) >= 1
    assert ("x-ratelimit-reset" in answer.headers) == (status == 429)
    assert door.ask("GET", "/healthz").status_code == (503 if status == 503 else 200)


def test_an_id_is_remembered_only_when_its_event_is_on_disk(tmp_path):
    door = Door(tmp_path, log=Refusing(LogFull("x")))
    door.track()
    kept = Door(tmp_path)
    kept.track()
    assert len(kept.lines()) == 1


def test_a_source_beyond_its_rate_waits(door_of):
    door = door_of(Settings(sources={"site": replace(SENDERS["site"], events_per_second=1)}))
    assert door.batch(*({**TRACK, "messageId": str(n)} for n in range(30))).status_code == 200
    answer = door.track()
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 15 <= int(answer.headers["retry-after"]) <= 22
    assert len(door.lines()) == 30


def test_a_fault_of_ours_is_one_typed_answer_and_says_nothing_of_the_event(door, monkeypatch, capsys):
    monkeypatch.setattr(Collector, "is_well", lambda _: 1 / 0)
    answer = door.track(userId="secret-user")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "secret" not in told


def test_limits_are_segments():
    assert (Limits().event, Limits().batch, Limits().events) == (32768, 512000, 2500)
    assert logging.getLogger("sources").handlers == []


class Held:
    """Stands for the lines in the frame of a log that refuses them."""


def test_what_was_refused_leaves_nothing_behind(tmp_path, way):
    """Under pressure memory must not wait for a search for garbage."""
    left = []

    class Full(Refusing):
        def submit(self, *_):
            lines = Held()
            left.append(weakref.ref(lines))
            raise LogBusy("x")

    door = Door(tmp_path, log=Full(None), way=way)
    gc.disable()
    try:
        assert door.track().status_code == 429
        assert [found() for found in left] == [None]
    finally:
        gc.enable()

"""What leaves by itself: what is in the way is said once, what was left is tried again, none waits for another."""

from __future__ import annotations

import logging
import threading
import time
from types import SimpleNamespace

import pytest

from dagster_cdp.live import sending
from dagster_cdp.live.sending import Decisions, Dispatcher
from reverse_etl.lease import SyncBusy
from reverse_etl.sync import BadDeclaration
from reverse_etl.triggers.report import Dispatched
from reverse_etl.triggers.trigger import all_triggers

VIP = SimpleNamespace(name="vip", audience="vip")


def test_what_is_in_the_way_is_said_when_it_changes(caplog):
    dispatcher = Dispatcher([], [])

    def held(why):
        def send():
            raise SyncBusy(why)

        return send

    def broken():
        raise ValueError("ann@example.com")

    with caplog.at_level(logging.WARNING):
        for send in (held("a guard"), held("a guard"), held("a gate"), lambda: None, held("a gate"), broken, broken):
            dispatcher._guarded("vip", send)
    assert [record.getMessage() for record in caplog.records] == [
        "vip: a guard", "vip: a gate", "vip: a gate", "vip: ValueError",
    ]  # fmt: skip


def test_a_look_counts_when_its_cycle_is_committed(monkeypatch):
    """A cycle that is begun again, as somebody else wrote the same, looks as far back as before."""
    clock, looks = [1_000.0], []
    monkeypatch.setattr(sending.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sending, "look_and_decide", lambda *given: looks.append(given[-1]))
    decisions = Decisions([VIP])

    for passed, is_committed in ((0, False), (0, True), (59, True), (1, False), (1, True), (3_540, True), (1, True)):
        clock[0] += passed
        decisions(None, None)
        if is_committed:
            decisions.after(None)

    assert [look.name for look in looks] == ["ALL", "ALL", "NEW", "RECENT", "RECENT", "ALL", "NEW"]

    clock[0] += 1
    decisions(None, None)
    clock[0] += 1
    decisions.look_at_all()
    decisions.after(None)
    decisions(None, None)
    assert [look.name for look in looks[7:]] == ["NEW", "ALL"]


@pytest.fixture
def dispatcher(monkeypatch):
    """A dispatcher of one sync and no warehouse, started."""
    monkeypatch.setattr(sending, "FIRST_WAIT", 0.0)
    started = Dispatcher([None], [VIP], lambda: SimpleNamespace(close=lambda: None))
    yield started
    started.stop()


def until(is_so):
    deadline = time.monotonic() + 10
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()


def sync_that(monkeypatch, *ends):
    """A sync that ends like this, run after run; at last well."""
    runs, left = [], list(ends)

    def run_sync(*_):
        end = left.pop(0) if left else "succeeded"
        runs.append(end)
        if isinstance(end, Exception):
            raise end
        return SimpleNamespace(state=end)

    monkeypatch.setattr(sending, "run_sync", run_sync)
    monkeypatch.setattr(sending, "dispatch", lambda *_: Dispatched())
    return runs


def test_what_an_owner_that_was_killed_left_unsent_is_sent_by_the_next(dispatcher, monkeypatch):
    runs = sync_that(monkeypatch)
    dispatcher.start()
    assert until(lambda: runs == ["succeeded"])


@pytest.mark.parametrize("end", ["partial", SyncBusy("by Dagster"), ConnectionError()])
def test_what_could_not_be_sent_is_tried_again_without_news(dispatcher, monkeypatch, end):
    """Somebody who took back their consent is on the list until the platform answers again."""
    runs = sync_that(monkeypatch, end, end)
    dispatcher.start()
    assert until(lambda: len(runs) == 3)
    time.sleep(1.2)
    assert runs == [end, end, "succeeded"]


@pytest.mark.parametrize(("brief", "times"), [(60.0, 3), (0.1, 9)])
def test_a_sync_rests_longer_than_it_took_and_then_takes_up_what_came_meanwhile(dispatcher, monkeypatch, brief, times):
    monkeypatch.setattr(sending, "BRIEF", brief)
    began, ended = [], []

    def run_sync(*_):
        began.append(time.monotonic())
        time.sleep(0.2)
        ended.append(time.monotonic())
        return SimpleNamespace(state="succeeded")

    monkeypatch.setattr(sending, "run_sync", run_sync)
    monkeypatch.setattr(sending, "dispatch", lambda *_: Dispatched())
    dispatcher.start()
    assert until(lambda: dispatcher._rests)
    until_then = dispatcher._rests[VIP.name]
    assert (until_then - ended[0]) / (ended[0] - began[0]) == pytest.approx(times, rel=0.3)
    dispatcher.after(SimpleNamespace(changed=frozenset({"model.cdp.vip"})))
    assert until(lambda: len(began) == 2)
    assert began[1] >= until_then
    time.sleep(1.2)
    assert len(began) == 2


def test_a_platform_that_does_not_answer_holds_up_no_message(dispatcher, monkeypatch):
    answers, sent = threading.Event(), []
    sync_that(monkeypatch)
    monkeypatch.setattr(sending, "run_sync", lambda *_: answers.wait(20) and SimpleNamespace(state="succeeded"))
    monkeypatch.setattr(sending, "dispatch", lambda *_: sent.append(1) or Dispatched())
    dispatcher.after(SimpleNamespace(changed={"model.cdp.consents"}))
    dispatcher.start()
    is_sent = until(lambda: len(sent) > 1)
    answers.set()
    assert is_sent


def test_where_messages_are_refused_is_said_once(dispatcher, monkeypatch, caplog):
    rounds = []
    sync_that(monkeypatch)
    monkeypatch.setattr(
        sending, "dispatch", lambda *_: rounds.append(1) or Dispatched(refused={"win_back by email": "no key"})
    )
    with caplog.at_level(logging.WARNING):
        dispatcher.start()
        assert until(lambda: len(rounds) > 1)
    assert [record.getMessage() for record in caplog.records] == ["win_back by email: no key"]


def test_a_trigger_that_no_cycle_could_ask_keeps_the_owner_from_starting_and_is_named(live):
    triggers = all_triggers()
    sending.prepare(live.connection, triggers)
    when = triggers[0].when.model_copy(update={"event": None, "enters": "nobody_built_it"})
    unbuilt = triggers[0].model_copy(update={"when": when})

    with pytest.raises(BadDeclaration, match=r"no table audiences\.nobody_built_it, for when: build it with dbt"):
        sending.prepare(live.connection, [unbuilt])
    sending.prepare(live.connection, [unbuilt.model_copy(update={"enabled": False})])

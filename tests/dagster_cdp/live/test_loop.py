"""Builds that are handed over turn the loop too: whoever has the turn reads on where the last one stopped."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from copy import copy

import duckdb
import pytest
from shoppers import EVENTS, Shoppers

from dagster_cdp import dbt
from dagster_cdp.live import loop as loop_module
from dagster_cdp.live.cycle import CycleFailed
from dagster_cdp.live.loop import Loop
from dagster_cdp.live.plan import Plan


def events(seed, count=40):
    return [(lane, line) for lane, line in Shoppers(seed).lines(count) if lane == EVENTS]


def landed(live):
    return live.rows("select count(*), count(distinct _row_id) from raw.web_events__events")


def test_what_another_thread_lands_meanwhile_is_not_landed_again(live):
    loop = Loop(live.loop.tail, live.connection, lambda _: Plan([], resident=None))
    lines = events(1)
    live.write(lines)
    other = threading.Thread(target=loop.once)
    with loop.turn:
        other.start()
        time.sleep(0.5)  # it has read what it could, and waits
        loop.once()
    other.join()
    assert landed(live) == [(len(lines), len(lines))]


def test_two_threads_that_turn_it_at_once_land_each_line_once(live):
    loop = Loop(live.loop.tail, live.connection, lambda _: Plan([], resident=None))
    is_over, faults = threading.Event(), []

    def turn():
        try:
            while not is_over.is_set():
                loop.once(even_without_news=True)
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=turn) for _ in range(2)]
    for thread in threads:
        thread.start()
    written = 0
    for seed in range(20):
        lines = events(seed, 20)
        live.write(lines)
        written += len(lines)
        time.sleep(0.02)
    is_over.set()
    for thread in threads:
        thread.join()
    loop.once()
    assert faults == []
    assert landed(live) == [(written, written)]


def test_beside_a_build_cycles_that_keep_up_have_half_of_the_cores(live):
    live.connection.execute("set threads = 4")
    loop = Loop(live.loop.tail, live.connection, lambda _: Plan([], resident=None))

    def threads_after(lines, *, beside):
        live.write(lines)
        with loop.company() if beside else nullcontext():
            loop.once()
        return live.rows("select current_setting('threads')")

    lines = events(1)
    assert threads_after(lines[:5], beside=False) == [(4,)]
    assert threads_after(lines[5:10], beside=True) == [(2,)]
    loop._limit = 1  # byte: whatever comes, it is behind
    assert threads_after(lines[10:15], beside=True) == [(4,)]
    assert threads_after(lines[15:20], beside=True) == [(2,)]
    assert threads_after(lines[20:25], beside=False) == [(4,)]


def test_who_decides_by_hand_for_long_does_not_end_the_owner(live, monkeypatch):
    """A preview of a large warehouse takes longer than a few tries."""
    monkeypatch.setattr(loop_module, "PATIENCE", 0.5)
    live.connection.execute("create table turns as select 0 as turn")
    part = [lambda connection, _: connection.execute("update turns set turn = turn + 1")]
    loop = Loop(live.loop.tail, live.connection.cursor(), lambda _: Plan([], resident=None), part)
    other = live.connection.cursor()
    other.execute("begin transaction")
    other.execute("update turns set turn = turn + 1")
    lines = events(1)
    live.write(lines)
    running = threading.Thread(target=loop.run)
    running.start()
    time.sleep(1.5)
    assert (running.is_alive(), loop.count) == (True, 0)

    other.execute("rollback")
    while running.is_alive() and not loop.line_count:
        time.sleep(0.05)
    loop.stop()
    running.join()
    assert landed(live) == [(len(lines), len(lines))]


def test_what_failed_while_committing_is_said_as_it_was(live, monkeypatch):
    """DuckDB has no transaction left to roll back then."""
    live.connection.execute("create table once (key integer primary key)")
    other = live.connection.cursor()

    def part(connection, _):
        connection.execute("insert into once values (1)")
        other.execute("insert into once values (1)")

    monkeypatch.setattr(loop_module, "PATIENCE", 0.0)
    loop = Loop(live.loop.tail, live.connection.cursor(), lambda _: Plan([], resident=None), [part])
    with pytest.raises(duckdb.Error, match="duplicate key"):
        loop.once(even_without_news=True)


def test_what_the_warehouse_refuses_is_told_without_the_value(live):
    part = [lambda connection, _: connection.execute("select cast('ann@mail.test' as integer)")]
    loop = Loop(live.loop.tail, live.connection.cursor(), lambda _: Plan([], resident=None), part)
    with pytest.raises(CycleFailed) as failed:
        loop.once(even_without_news=True)
    said = "a cycle failed (ConversionException): landing or a trigger could not be run"
    assert str(failed.value) == said
    assert str(copy(failed.value)) == said, "through the socket it is made anew for who asked"


def test_the_model_that_failed_is_named(live):
    live.loop.once(even_without_news=True)
    live.connection.execute("alter view staging.stg_web_events__events rename to elsewhere")
    live.write(events(1))
    with pytest.raises(CycleFailed, match=r"at profile_events \(Catalog.*`dbt build --select profile_events`"):
        live.loop.once()


def test_one_that_dbt_runs_is_named_too(live):
    rules = dbt.manifest()["nodes"]["seed.cdp.identifier_rules"]["relation_name"]
    live.connection.execute(f"delete from {rules}")
    live.write(events(1))
    with pytest.raises(CycleFailed, match=r"at identifier_groups \(Parser.*`dbt build --select identifier_groups`"):
        live.loop.once()

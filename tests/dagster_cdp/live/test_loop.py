"""Builds that are handed over turn the loop too: whoever has the turn reads on where the last one stopped."""

from __future__ import annotations

import threading
import time

from shoppers import EVENTS, Shoppers

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

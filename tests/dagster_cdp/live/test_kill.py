"""The owner is killed anywhere; the next one goes on, and nothing is lost or there twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from live_world import open_warehouse, start
from shoppers import EVENTS, Shoppers

from sources.configuration import read_configuration
from sources.log.writer import Writer

KILLS = 8


@pytest.mark.whole
def test_killed_anywhere_nothing_is_lost_or_twice(home):
    dice, shoppers = random.Random(7), Shoppers(7)
    writer = Writer(Path(read_configuration().log))
    written: list[bytes] = []
    for _ in range(KILLS):
        owner = start()
        until = time.monotonic() + dice.uniform(0.3, 4)
        while time.monotonic() < until:
            lines = [line for lane, line in shoppers.lines(15) if lane == EVENTS]
            writer.append_now(EVENTS, lines)
            written += lines
            time.sleep(0.05)
        owner.kill()
        owner.communicate()
    writer.close()
    owner = start()
    end = time.monotonic() + 120
    while time.monotonic() < end and _lag():
        time.sleep(0.3)
    owner.terminate()
    owner.communicate(timeout=60)
    assert owner.returncode == 0

    warehouse = open_warehouse(home / "warehouse.duckdb")
    query = warehouse.execute
    landed, places = query("select count(*), count(distinct _row_id) from raw.web_events__events").fetchall()[0]
    assert landed == places == len(written)
    published = query(
        "select count(*), count(distinct event_id) from staging.judged_web_events__events where _outcome = 'published'"
    ).fetchall()[0]
    assert published == (len(set(written)), len(set(written)))
    assert query("select count(*) from profiles.profile_events").fetchall()[0][0] == published[0]
    warehouse.close()


def _lag() -> int:
    from dagster_cdp.warehouse import ask_owner

    return int(ask_owner("status")["lag_bytes"])

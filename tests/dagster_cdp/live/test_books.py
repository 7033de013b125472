"""The books of raw grow by the hour, not by the cycle, and say of an hour's load what they say of a file's."""

from __future__ import annotations

from live_world import build
from shoppers import EVENTS, Shoppers, envelope

from dagster_cdp.live.jobs import Jobs
from sources import tail

LOADS = "select count(*) from raw._dlt_loads where schema_name = 'live'"
CYCLES = 5


def cycles(live, seed, count=CYCLES):
    """So many cycles of a few events each; the lines."""
    shoppers, written = Shoppers(seed), []
    for _ in range(count):
        lines = [line for lane, line in shoppers.lines(6) if lane == EVENTS]
        live.write((EVENTS, line) for line in lines)
        live.catch_up()
        written += lines
    return written


def receipts(*names):
    rows = ({"receipt_id": name, "sold_at": "2026-01-01T10:00:00Z", "total_amount": "1.50"} for name in names)
    return [("store_receipts.receipts", envelope({"row": row})) for row in rows]


def test_an_hours_cycles_are_one_load_with_one_account(live):
    written = cycles(live, 1)
    assert live.rows(LOADS) == [(1,)]
    # An account for each file: the log begins a new one every minute, and a slow machine takes longer than that.
    assert live.rows(
        "select count(*) = count(distinct source_file), sum(accepted_count) from raw.loads where table_name = 'events'"
    ) == [(True, len(written))]
    build("row_outcomes", "conservation")
    assert live.rows(
        "select distinct landed_count, reported_count, "
        "published_count + quarantined_count + duplicate_count + suppressed_count "
        "from ops.conservation where connector = 'web_events'"
    ) == [(len(written),) * 3]
    assert live.rows("select count(*) from ops.live_cycles") == [(CYCLES,)]


def test_the_next_hour_is_another_load(live, monkeypatch):
    cycles(live, 2, 3)
    monkeypatch.setattr(tail, "LONGEST_LOAD", 0.0)
    cycles(live, 3, 3)
    assert live.rows(LOADS) == [(4,)]


def test_a_model_that_no_cycle_runs_reads_on_where_the_load_has_grown(live):
    judged = "select receipt_id, count(*) from staging.judged_store_receipts__receipts group by 1 order by 1"
    live.write(receipts("a", "b"))
    live.catch_up()
    build("judged_store_receipts__receipts")
    assert live.rows(judged) == [("a", 1), ("b", 1)]
    live.write(receipts("c"))
    live.catch_up()
    build("judged_store_receipts__receipts")
    assert live.rows(judged) == [("a", 1), ("b", 1), ("c", 1)]
    assert live.rows(LOADS) == [(1,)]


def test_what_was_judged_never_grows(live):
    """While a gate judges each batch is a load of its own, and afterwards a later load takes what comes."""
    jobs = Jobs(live.loop)
    cycles(live, 4, 2)
    with jobs._loads_apart():
        cycles(live, 5, 2)
    judged_until = live.rows("select max(load_id) from raw._dlt_loads")
    rows = f"select count(*) from raw.web_events__events where _dlt_load_id <= '{judged_until[0][0]}'"
    before = live.rows(rows)
    cycles(live, 6, 2)
    assert live.rows(LOADS) == [(4,)]
    assert live.rows(rows) == before


def test_a_stage_has_something_new_to_read_when_a_load_has_grown(live):
    from dagster_cdp.unchanged import _loads
    from reverse_etl.warehouse import SharedWarehouse

    cycles(live, 7, 1)
    before = _loads(SharedWarehouse(live.connection))
    cycles(live, 8, 1)
    assert _loads(SharedWarehouse(live.connection)) != before

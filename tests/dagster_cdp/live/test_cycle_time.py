"""How long events took is measured, stage by stage, and held against the objective."""

from __future__ import annotations

from live_world import build
from shoppers import EVENTS, Shoppers

from dagster_cdp import dbt
from dagster_cdp.live.cycle import prepare_books
from dagster_cdp.live.views import renew_views

MODELS = ("event_times", "audience_answers", "event_answers", "cycle_time")


def objective(milliseconds: int) -> bool:
    """Whether the check passes with this objective."""
    words = ["test", "--select", "assert_cycle_time_meets_its_objective", *dbt.places(), "--no-write-json"]
    words += ["--vars", f"{{cycle_time_objective_milliseconds: {milliseconds}}}"]
    return bool(dbt.invoke(words, manifest=dbt.parsed()).success)


def test_every_landed_event_is_timed(live):
    events = {line for lane, line in Shoppers(4).lines(200) if lane == EVENTS}
    live.write((EVENTS, line) for line in events)
    live.catch_up()
    build(*MODELS)

    counts = dict(live.rows("select stage, event_count from ops.cycle_time"))
    assert counts == dict.fromkeys(("stored", "read", "landed", "resolved", "received_to_resolved"), len(events))
    times = live.rows(
        "select p50_milliseconds, p95_milliseconds, p99_milliseconds, max_milliseconds from ops.cycle_time"
    )
    assert all(0 <= row[0] <= row[1] <= row[2] <= row[3] for row in times)

    assert objective(3_600_000)
    assert not objective(0)


def test_without_an_owner_there_is_nothing_to_time(live):
    live.connection.execute("drop table ops.live_cycles")
    build(*MODELS)
    assert live.rows("select * from ops.cycle_time") == []


def test_what_was_built_before_the_first_owner_tells_of_it_once_it_starts(live):
    live.connection.execute("drop table ops.live_cycles")
    build(*MODELS)
    prepare_books(live.connection)
    renew_views(live.connection)
    events = {line for lane, line in Shoppers(4).lines(20) if lane == EVENTS}
    live.write((EVENTS, line) for line in events)
    live.catch_up()
    assert live.rows("select event_count from ops.cycle_time where stage = 'resolved'") == [(len(events),)]

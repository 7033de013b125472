"""Hot models are compiled again after a build that changed what they stand on, and after no other."""

from __future__ import annotations

import pytest
from shoppers import EVENTS, Shoppers

from dagster_cdp import dbt
from dagster_cdp.live.loop import Loop
from dagster_cdp.live.plan import make_plan


@pytest.fixture
def compiled(live):
    """The plans that were made, from the one that is good for the warehouse as it is."""
    plans = []

    def noted(connection):
        plans.append(make_plan(connection))
        return plans[-1]

    live.loop = Loop(live.loop.tail, live.connection, noted)
    live.write((lane, line) for lane, line in Shoppers(3).lines(40) if lane == EVENTS)
    live.catch_up()
    live.loop.refresh()  # the first event of the log brought raw a column
    plans[:] = plans[-1:]
    return plans


def test_a_build_that_changed_only_rows_runs_all_models_as_they_were_compiled(live, compiled):
    again = "create or replace table profiles.verified_contacts as select * from profiles.verified_contacts"
    live.connection.execute(again)
    live.loop.refresh()
    assert len(compiled) == 1
    assert {step.name for step in compiled[0].steps} == set(compiled[0].seconds)
    assert live.rows("select count(*) > 0 from profiles.profiles") == [(True,)]


def test_rows_of_a_seed_that_macros_write_into_sql_are_noticed_and_count(live, compiled):
    [(cookie,)] = live.rows("select max(anonymous_id) from staging.stg_web_events__events")
    known = f"select is_blocked from identity.identifiers where identifier_value = '{cookie}'"
    assert live.rows(known) == [(False,)]
    live.connection.execute(
        "insert into identity.blocked_identifiers (identifier_type, match_kind, blocked_value) "
        f"values ('anonymous_id', 'exact', '{cookie}')"
    )
    live.loop.refresh()
    assert len(compiled) == 2
    assert live.rows(known) == [(True,)]


def test_other_columns_settings_and_another_parse_are_noticed(live, compiled, monkeypatch):
    [plan] = compiled
    assert plan.still_stands(live.connection)
    monkeypatch.setenv("CDP_NOW", "2030-01-01T00:00:00")
    assert not plan.still_stands(live.connection)
    monkeypatch.delenv("CDP_NOW")
    live.connection.execute("alter table profiles.verified_contacts add column more varchar")
    assert not plan.still_stands(live.connection)
    live.connection.execute("alter table profiles.verified_contacts drop column more")
    assert plan.still_stands(live.connection)
    dbt.parsed.cache_clear()
    assert not plan.still_stands(live.connection)
    live.loop.refresh()
    assert len(compiled) == 2

"""A stage is built again when something it reads has changed, and only then."""

import duckdb
import pytest

from dagster_cdp import unchanged


@pytest.fixture
def land(cdp_home):
    """Commit a load, as dlt would."""

    def commit(load):
        with duckdb.connect(cdp_home / "warehouse.duckdb") as warehouse:
            warehouse.execute("create schema if not exists raw")
            warehouse.execute(
                "create table if not exists raw._dlt_loads (load_id varchar, status integer, inserted_at timestamp)"
            )
            warehouse.execute("insert into raw._dlt_loads values (?, 0, now())", [load])

    commit("1")
    return commit


def test_a_built_stage_is_left_as_it_is(land):
    unchanged.finish("staging", unchanged.begin("staging"))
    assert unchanged.begin("staging") is None


def test_a_new_load_is_a_reason_to_build(land):
    unchanged.finish("staging", unchanged.begin("staging"))
    land("2")
    assert unchanged.begin("staging")


def test_a_new_day_is_a_reason_to_build(land, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-03-01T23:00:00")
    unchanged.finish("staging", unchanged.begin("staging"))
    monkeypatch.setenv("CDP_NOW", "2026-03-01T23:59:00")
    assert unchanged.begin("staging") is None
    monkeypatch.setenv("CDP_NOW", "2026-03-02T00:01:00")
    assert unchanged.begin("staging")


def test_a_build_that_was_killed_is_done_again(land):
    unchanged.begin("staging")
    assert unchanged.begin("staging")


def test_a_part_that_was_built_makes_the_whole_stale_and_what_reads_it(land):
    unchanged.finish("staging", unchanged.begin("staging"))
    unchanged.begin_part("staging")
    assert unchanged.begin("staging")


def test_forgetting_builds_everything_again(land):
    unchanged.finish("staging", unchanged.begin("staging"))
    unchanged.forget()
    assert unchanged.begin("staging")

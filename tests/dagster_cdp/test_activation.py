"""Each sync is an asset: what was sent is its metadata, its checks warn, and a failure says who must act."""

import base64
import os
import re
import socket
import time
from datetime import datetime

import dagster as dg
import duckdb
import pytest

from dagster_cdp.defs.activation import CHECKS, sync_asset
from dagster_cdp.membership import as_markdown, plot
from reverse_etl.sync import Sync
from reverse_etl.warehouse import DuckDBWarehouse

SYNC = Sync(
    audience="vip",
    destination="files",
    purpose="marketing",
    channel="post",
    fields={"profile_id": "customer"},
    after=("first_to_files",),
    owner="team:letters",
)


@pytest.fixture
def warehouse(cdp_home):
    opened = DuckDBWarehouse(duckdb.connect(str(cdp_home / "warehouse.duckdb")))
    for schema in ("audiences", "profiles", "ops"):
        opened.execute(f"create schema {schema}")
    opened.execute("create table audiences.vip as select concat('p', i) as profile_id from range(30) as people(i)")
    opened.execute(
        "create table profiles.consents as select profile_id, 'marketing' as purpose, 'post' as channel, "
        "true as is_granted from audiences.vip"
    )
    opened.execute(
        "create table ops.gate_results as select 'audiences.vip' as table_name, 'audiences.vip' as suite, "
        "true as is_passed, cast('2026-01-01' as timestamp) as checked_at"
    )
    opened.close()
    return lambda sql: _run(cdp_home, sql)


def _run(home, sql):
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        return connection.execute(sql).fetchall()


def materialize():
    return dg.materialize([sync_asset(SYNC)], raise_on_error=False)


def verdicts(result):
    return {e.event_specific_data.check_name: e.event_specific_data.passed for e in result.all_events
            if e.event_type_value == "ASSET_CHECK_EVALUATION"}  # fmt: skip


def test_an_asset_waits_for_its_audience_its_consents_and_the_syncs_before_it():
    asset = sync_asset(SYNC)
    keys = {"/".join(key.path) for key in asset.dependency_keys}
    assert keys == {"audiences/vip", "profiles/consents", "activation/first_to_files"}


def test_counts_and_the_picture_are_metadata(warehouse):
    result = materialize()

    assert result.success
    [made] = result.asset_materializations_for_node("activation__vip_to_files")
    facts = {name: value.value for name, value in made.metadata.items()}
    assert (facts["sent_add"], facts["members"], facts["state"]) == (30, 30, "succeeded")
    svg = base64.b64decode(re.search(r"base64,([^)]+)", facts["members_over_time"])[1]).decode()
    assert "30 members" in svg
    assert verdicts(result) == dict.fromkeys(CHECKS, True)


def test_a_run_of_the_same_sync_that_is_under_way_is_waited_for(warehouse):
    assert materialize().success
    warehouse(
        f"update activation.leases set holder = '{socket.gethostname()}:{os.getppid()}:owner', "
        "expires_at = cast(now() at time zone 'UTC' as timestamp) + interval 2 seconds"
    )

    began = time.monotonic()
    assert materialize().success
    assert time.monotonic() > began + 1


def test_a_hold_fails_the_asset_and_names_its_owner(warehouse):
    materialize()
    warehouse("delete from audiences.vip where profile_id <> 'p1'")

    result = materialize()

    assert not result.success
    [failed] = result.get_step_failure_events()
    assert "team:letters" in failed.step_failure_data.user_failure_data.description
    assert "29 of 30" in failed.step_failure_data.user_failure_data.description
    assert verdicts(result) == {**dict.fromkeys(CHECKS, True), "not_held": False}


def test_what_an_engine_says_of_a_row_is_no_event(warehouse):
    warehouse("create table addresses as select 'ann@mail.test' as address")
    warehouse("drop table audiences.vip")
    warehouse(
        "create view audiences.vip as select address as profile_id from main.addresses where address::integer > 0"
    )

    result = materialize()

    assert not result.success
    [failed] = result.get_step_failure_events()
    assert "ConversionException at" in failed.step_failure_data.user_failure_data.description
    assert "ann@mail.test" not in str(result.all_events)


def test_a_backlog_and_many_rejections_are_warned_of(warehouse):
    materialize()
    warehouse("update activation.journal set pending_operation = 'change', operation_id = 'x', intent_count = 1")
    warehouse("insert into activation.dead_letters select sync_name, member_id, record_key, 'add', 'f', 'bad', "
              "now(), now(), 1 from activation.journal limit 9")  # fmt: skip
    from dagster_cdp.defs.activation import checks
    from reverse_etl.history import standing

    opened = DuckDBWarehouse(duckdb.connect(_path(warehouse)))
    found = {check.check_name: check.passed for check in checks(standing(opened, SYNC))}
    opened.close()
    assert found == {"not_held": True, "few_rejected": False, "no_backlog": False}


def _path(_):
    from reverse_etl.environment import home

    return str(home() / "warehouse.duckdb")


def test_the_picture_is_drawn_of_no_run_and_of_many():
    assert "<svg" in plot([])
    at = datetime(2026, 1, 1)  # noqa: DTZ001
    svg = plot([(at, 10, "succeeded"), (at, 0, "held"), (at, 5, "succeeded")])
    assert svg.count("<circle") == 3
    assert as_markdown(svg).startswith("![members over time](data:image/svg+xml;base64,")

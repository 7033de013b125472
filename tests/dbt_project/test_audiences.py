"""Incremental audiences hold whom a full refresh would hold, also when somebody vanishes without a trace."""

from __future__ import annotations

import pytest
from raw_world import Statement, World

LINES = "product_id text, _batch bigint"
TABLES = {
    "identity.touched_profiles": "profile_id text, _batch bigint",
    "identity.profile_identifiers": "node_id bigint, profile_id text, _batch bigint",
    "profiles.profiles": "profile_id text, email text, phone text, first_name text, last_name text, country_code text,"
    " _batch bigint",
    "profiles.profile_events": "event_id text, profile_id text, event_name text, product_id text,"
    " cart_id text, amount numeric(18, 2), occurred_at timestamp, _landed_at timestamp, _node_id bigint",
    "profiles.channel_orders": "order_id text, channel text, profile_id text, ordered_at timestamp,"
    " is_cancelled boolean, _batch bigint",
    "staging.stg_web_orders__order_lines": f"order_id text, {LINES}",
    "staging.stg_store_receipts__receipt_lines": f"receipt_id text, {LINES}",
}
STAGES = ("staging", "identity", "profiles")
CART = "?, ?, 'Product Added', 'p1', 'cart', 2.50, timestamp '2026-03-02 08:00:00', timestamp '2026-03-02 08:01:00', ?"
ORDER = "?, 'web', ?, timestamp '2026-03-02 07:00:00', false, 1"
EVERYBODY = ["ann", "bob", "cleo"]


@pytest.fixture(autouse=True)
def a_day(monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-03-02T09:00:00")


def incremental_audiences(world: World) -> list[str]:
    assert world.manifest is not None
    nodes = [node for node in world.manifest.nodes.values() if node.resource_type == "model"]
    return sorted(
        node.name for node in nodes if node.schema == "audiences" and node.config.materialized == "incremental"
    )


def plant(world: World) -> None:
    """People who bought this morning and have filled a cart again since: each is in every incremental audience."""
    stages: list[Statement] = [(f"create schema if not exists {stage}", ()) for stage in STAGES]
    tables: list[Statement] = [(f"create table {name} ({columns})", ()) for name, columns in TABLES.items()]
    rows: list[Statement] = []
    for number, person in enumerate(EVERYBODY):
        rows += [
            ("insert into identity.touched_profiles values (?, 1)", [person]),
            ("insert into identity.profile_identifiers values (?, ?, 1)", [number, person]),
            ("insert into profiles.profiles values (?, 'one@example.com', null, null, null, null, 1)", [person]),
            (f"insert into profiles.channel_orders values ({ORDER})", [f"order-of-{person}", person]),
            ("insert into staging.stg_web_orders__order_lines values (?, 'p2', 1)", [f"order-of-{person}"]),
            (f"insert into profiles.profile_events values ({CART})", [f"event-of-{person}", person, number]),
        ]
    world.execute([*stages, *tables, *rows])


def members(world: World, *, full_refresh: bool = False) -> dict[str, list[str]]:
    """Who is in each incremental audience, once it is built."""
    names = incremental_audiences(world)
    world.dbt("run", "--select", "read_marks", *names, *(["--full-refresh"] if full_refresh else []))
    return {
        name: [person for (person,) in world.query(f"select profile_id from audiences.{name} order by profile_id")]
        for name in names
    }


def whoever_vanishes_is_no_member(world: World) -> None:
    plant(world)
    before = members(world)
    assert {"bought_products", "cart_abandoners", "recent_buyers_suppression"} <= set(before)
    assert before == dict.fromkeys(before, EVERYBODY)
    assert members(world) == before  # an increment, which notes that all of them were looked at, and when
    world.execute([("delete from profiles.profiles where profile_id = 'bob'", ())])
    after = members(world)
    assert after == {audience: ["ann", "cleo"] for audience in before}
    assert members(world, full_refresh=True) == after


def test_whether_somebody_vanished_is_asked_once_in_a_minute(world, monkeypatch):
    plant(world)
    before = members(world)
    assert members(world) == before  # as above
    world.execute([("delete from profiles.profiles where profile_id = 'bob'", ())])

    monkeypatch.setenv("CDP_NOW", "2026-03-02T09:00:59")
    assert members(world) == before

    monkeypatch.setenv("CDP_NOW", "2026-03-02T09:01:00")
    assert members(world) == {audience: ["ann", "cleo"] for audience in before}


@pytest.mark.parametrize("later", ["10:00", "13:00"], ids=["within the hour", "after a pause"])
@pytest.mark.parametrize(
    "whose",
    [
        pytest.param(["bob"], id="one of them", marks=pytest.mark.whole),
        pytest.param(EVERYBODY, id="all, so nobody is in"),
    ],
)
def test_whose_clock_ran_ahead_is_a_member_once_it_is_so(world, monkeypatch, whose, later):
    plant(world)
    for person in whose:
        world.execute([
            ("update profiles.channel_orders set ordered_at = '2026-03-02 09:40:00' where profile_id = ?", [person]),
            ("update profiles.profile_events set occurred_at = '2026-03-02 09:45:00' where profile_id = ?", [person]),
        ])  # fmt: skip
    before = members(world)
    others = [person for person in EVERYBODY if person not in whose]
    assert before == dict.fromkeys(before, others)
    assert members(world) == before  # as above

    monkeypatch.setenv("CDP_NOW", f"2026-03-02T{later}:00")

    assert members(world) == dict.fromkeys(before, EVERYBODY)
    assert members(world, full_refresh=True) == dict.fromkeys(before, EVERYBODY)


def test_whoever_vanishes_from_profiles_is_no_member_after_the_next_increment(world):
    whoever_vanishes_is_no_member(world)


@pytest.mark.postgres
def test_whoever_vanishes_is_no_member_on_postgres(postgres_world):
    whoever_vanishes_is_no_member(postgres_world)

"""Staging judges every row once; increments in any order of commits give what one full build gives."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from raw_world import World, run_dbt
from staging_story import LANDED, NEVER_COMMITTED, NEWEST_VERSIONS, STORY, SUPPRESSED

TABLES = ("web_events__events", "store_receipts__receipts", "web_orders__orders")
MODELS = [f"{kind}_{table}" for table in TABLES for kind in ("judged", "stg")]
SEEDS = ["country_names", "disposable_domains", "role_mailboxes", "suppressed_identifiers"]
ORDERS = [
    [["load-1"], ["load-2"], ["load-3"], ["load-4"]],
    [["load-4"], ["load-3"], ["load-2"], ["load-1"]],
    [["load-2", "load-4"], ["load-1", "load-3"]],
    [["load-3", "load-1"], [], ["load-4"], ["load-2"]],
]


def seeded(world: World) -> World:
    world.dbt("seed", "--select", *SEEDS)
    world.execute([("insert into staging.suppressed_identifiers values ('email', ?)", [SUPPRESSED])])
    return world


def land_story(world: World) -> None:
    for load, tables in STORY.items():
        for table, rows in tables.items():
            world.land(load, table, [row for row, _, _ in rows], LANDED[load])
    load, table, rows = NEVER_COMMITTED
    world.land(load, table, rows, LANDED["load-4"])


def build(world: World, *flags: str) -> dict[str, list[tuple[object, ...]]]:
    world.dbt("run", "--select", *MODELS, *flags)
    return {model: world.rows(f"staging.{model}") for model in MODELS}


def lost_rows(world: World) -> list[tuple[object, ...]]:
    """Committed rows per table and load, and how many of them were judged, where the two differ."""
    counts = " union all ".join(
        f"select '{table}', load_id, (select count(*) from raw.{table} where _dlt_load_id = load_id),"
        f" (select count(*) from staging.judged_{table} where _load_id = load_id) from raw._dlt_loads"
        for table in TABLES
    )
    return [row for row in world.query(counts) if row[2] != row[3]]


def outcomes(world: World, table: str) -> Counter[tuple[str, str, str | None]]:
    return Counter(world.query(f"select _row_id, _outcome, _rule from staging.judged_{table}"))


def expected(table: str) -> Counter[tuple[str, str, str | None]]:
    rows = [row for tables in STORY.values() for row in tables.get(table, [])]
    return Counter((row["_row_id"], outcome, rule) for row, outcome, rule in rows)


def tell(world: World, commits: list[list[str]]) -> None:
    """Commit loads in this order, building after each group; nothing may be lost on the way."""
    land_story(world)
    for group in commits:
        for load in group:
            world.commit(load)
        increments = build(world)
        assert lost_rows(world) == []
    assert {table: outcomes(world, table) for table in TABLES} == {table: expected(table) for table in TABLES}
    assert build(world) == increments
    assert build(world, "--full-refresh") == increments


@pytest.mark.parametrize("commits", ORDERS, ids=["in order", "backwards", "in pairs", "with an empty build"])
def test_loads_may_commit_in_any_order(world, commits):
    tell(seeded(world), commits)


@pytest.mark.postgres
def test_loads_may_commit_in_any_order_on_postgres(postgres_world):
    tell(seeded(postgres_world), ORDERS[1])


def test_the_newest_version_is_the_source_s_newest_not_the_latest_arrival(world):
    tell(seeded(world), ORDERS[2])
    assert dict(world.query("select order_id, _row_id from staging.stg_web_orders__orders")) == NEWEST_VERSIONS


def test_suppressed_rows_keep_nothing_personal(world):
    tell(seeded(world), ORDERS[0])
    kept = world.query(
        "select email, customer_id, phone, first_name from staging.judged_web_orders__orders"
        " where _row_id = 'o2' union all select anonymous_id, user_id, email, ip_prefix"
        " from staging.judged_web_events__events where _row_id in ('e2', 'e9')"
    )
    assert kept == [(None, None, None, None)] * 3


def test_a_full_refresh_of_the_judged_model_alone_reaches_its_readers(world):
    """Build numbers start from one again; the newest versions must notice all the same."""
    tell(seeded(world), ORDERS[0])
    world.dbt("run", "--select", "judged_web_orders__orders", "--full-refresh")
    world.land("load-6", "web_orders__orders", [{"id": "9", "created_at": "2026-01-01", "currency": "USD",
                                                "total_price": 1}], LANDED["load-4"])  # fmt: skip
    world.commit("load-6")
    build(world)
    assert ("9",) in world.query("select order_id from staging.stg_web_orders__orders")


ROWS = st.lists(
    st.tuples(st.sampled_from("123"), st.sampled_from("xy"), st.integers(0, 2), st.integers(0, 1)),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(histories=st.lists(st.tuples(ROWS, st.permutations(range(3))), min_size=12, max_size=12))
def test_any_history_of_receipts_and_orders_gives_the_same_as_one_full_build(world, histories):
    """Twelve histories per run, kept apart by their keys: each row is (key, content, load, hour of landing).

    Loads commit in an order of their own, so that rows are often overtaken by earlier ones.
    """
    world.prepare()
    seeded(world)
    for number, (rows, order) in enumerate(histories):
        for key, content, load, hour in rows:
            name = f"{number:02}-{load}"
            at = f"2026-01-0{1 + load} 1{hour}:00:00"
            amount = "1.00" if content == "x" else "2.00"
            common = {"currency": "USD", "_source_file": name}
            sold = {"receipt_id": f"{number}-{key}", "total_amount": amount, "sold_at": "2026-01-01"}
            placed = {"id": f"{number}-{key}", "total_price": amount, "created_at": "2026-01-01"}
            world.land(name, "store_receipts__receipts", [{**sold, **common}], at)
            world.land(name, "web_orders__orders", [{**placed, "updated_at": at, **common}], at)
    for step in range(3):
        for number, (_, order) in enumerate(histories):
            world.commit(f"{number:02}-{order[step]}")
        increments = build(world)
        assert lost_rows(world) == []
    assert build(world, "--full-refresh") == increments


def test_the_project_parses_from_its_own_folder_and_from_the_root(tmp_path, monkeypatch, duckdb_manifest):
    """Without any setting the warehouse is `.cdp/warehouse.duckdb` of the project root."""
    for name in ("CDP_WAREHOUSE", "CDP_HOME", "CDP_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    manifest = run_dbt(["parse"], tmp_path)
    assert {node.database for node in manifest.nodes.values()} == {"warehouse"}

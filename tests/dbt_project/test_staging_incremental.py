"""Staging judges every row once; increments in any order of commits give what one full build gives."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from raw_world import Statement, World, run_dbt
from staging_story import LANDED, NEVER_COMMITTED, NEWEST_VERSIONS, STORY, SUPPRESSED, order, receipt

TABLES = ("web_events__events", "store_receipts__receipts", "web_orders__orders")
MODELS = [f"{kind}_{table}" for table in TABLES for kind in ("judged", "stg")]
SEEDS = ["country_names", "disposable_domains", "role_mailboxes", "suppressed_identifiers"]
IN_ORDER = [["load-1"], ["load-2", "load-3"], [], ["load-4"]]
BACKWARDS = [["load-4"], ["load-3"], ["load-2"], ["load-1"]]
IN_PAIRS = [["load-2", "load-4"], ["load-1", "load-3"]]


def seeded(world: World) -> World:
    world.dbt("seed", "--select", *SEEDS)
    world.execute([("insert into staging.suppressed_identifiers values ('email', ?)", [SUPPRESSED])])
    return world


def land_story(world: World) -> None:
    statements = [
        statement
        for load, tables in STORY.items()
        for table, rows in tables.items()
        for statement in world.inserts(load, table, [row for row, _, _ in rows], LANDED[load])
    ]
    load, table, rows = NEVER_COMMITTED
    world.execute([*statements, *world.inserts(load, table, rows, LANDED["load-4"])])


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
        world.commit(*group)
        increments = build(world)
        assert lost_rows(world) == []
    assert {table: outcomes(world, table) for table in TABLES} == {table: expected(table) for table in TABLES}
    assert build(world, "--full-refresh") == increments


@pytest.mark.parametrize(
    "commits", [BACKWARDS, pytest.param(IN_PAIRS, marks=pytest.mark.whole)], ids=["backwards", "in pairs"]
)
def test_loads_may_commit_in_any_order(world, commits):
    tell(seeded(world), commits)


@pytest.mark.postgres
@pytest.mark.whole
def test_loads_may_commit_in_any_order_on_postgres(postgres_world):
    tell(seeded(postgres_world), BACKWARDS)


def test_loads_in_order_leave_nothing_personal_and_the_newest_versions(world):
    """Also: a full refresh of a judged model alone, which counts from one again, reaches its readers."""
    tell(seeded(world), IN_ORDER)
    kept = world.query(
        "select email, customer_id, phone, first_name from staging.judged_web_orders__orders"
        " where _row_id = 'o2' union all select anonymous_id, user_id, email, ip_prefix"
        " from staging.judged_web_events__events where _row_id in ('e2', 'e9')"
    )
    assert kept == [(None, None, None, None)] * 3
    newest = world.query("select order_id, _row_id from staging.stg_web_orders__orders")
    assert dict(newest) == NEWEST_VERSIONS

    world.dbt("run", "--select", "judged_web_orders__orders", "--full-refresh")
    added = order("o9", "9", "2026-01-01", "new@mail.test")
    world.land("load-6", "web_orders__orders", [added], LANDED["load-4"])
    world.commit("load-6")
    build(world)
    assert ("9",) in world.query("select order_id from staging.stg_web_orders__orders")


def history(world: World, number: int, rows: list[tuple[str, str, int, int]]) -> list[Statement]:
    """Rows under the keys of this history: each is (key, content, load, hour of landing)."""
    statements: list[Statement] = []
    for key, content, load, hour in rows:
        name, at = f"{number:02}-{load}", f"2026-01-0{1 + load} 1{hour}:00:00"
        row, entity = f"{number}-{len(statements)}", f"{number}-{key}"
        sold = receipt(f"r{row}", entity, {"x": "1.00", "y": "2.00"}[content])
        placed = order(f"o{row}", entity, at[:10], f"{content}@mail.test")
        statements += world.inserts(name, "store_receipts__receipts", [sold], at)
        statements += world.inserts(name, "web_orders__orders", [placed], at)
    return statements


def test_any_history_gives_the_same_as_one_full_build(world):
    """Eighty histories; loads commit in an order of their own, so earlier rows often come later."""
    dice = random.Random(7)
    drawn = [
        [
            (dice.choice("123"), dice.choice("xy"), dice.randrange(3), dice.randrange(2))
            for _ in range(dice.randrange(9))
        ]
        for _ in range(80)
    ]
    orders = [dice.sample(range(3), 3) for _ in drawn]
    seeded(world)
    world.execute([each for number, rows in enumerate(drawn) for each in history(world, number, rows)])
    for step in range(3):
        world.commit(*(f"{number:02}-{commits[step]}" for number, commits in enumerate(orders)))
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

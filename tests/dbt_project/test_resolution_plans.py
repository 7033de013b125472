"""How the resolver asks: each step by itself, and never all weights of a class, or all of a crowd, with each other."""

from __future__ import annotations

import json

import duckdb
import pytest
from graph_world import Graph, GraphWorld, Pair, Rule, typed

LOGIN, EMAIL = 0, 4
RULES = [Rule("user_id", LOGIN, "exact", max_per_profile=1), Rule("email", EMAIL, max_user_ids=3)]
SCRATCH = ["identity_nodes", "identity_links", "identity_open", "identity_parts", "identity_grouped"]
PEOPLE = 2000
SCRATCH_ROWS = {
    "identity_weights": "{login} as part_id, 0::bigint as class_id, 1 as most, 1::bigint as weight",
    "identity_open": "{login} as left_part, {email} as right_part, range as position",
    "identity_apart": "0::bigint as left_node_id, 0::bigint as right_node_id",
}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The SQL of a second run, full: two logins share each of many addresses, which limits keep apart."""
    world = GraphWorld.build(tmp_path_factory.mktemp("graphs"))
    pairs = [Pair(typed(LOGIN, 2 * n + side), typed(EMAIL, n)) for n in range(PEOPLE) for side in (0, 1)]
    world.afresh([Graph(pairs)], RULES)
    heard: list[str] = []
    world.run("--full-refresh", hear=heard.append)
    return heard


def test_no_transaction_spans_the_steps(steps: list[str]) -> None:
    """In one, DuckDB counts no row of a scratch table: plans are made for none, on one core, with twice the memory."""
    is_open, asked = False, 0
    for step in steps:
        said = step.rsplit("*/", 1)[-1].strip().lower()
        is_open = said == "begin" or (is_open and said not in ("commit", "rollback"))
        if any(f"create or replace temporary table {name} as" in step for name in SCRATCH):
            assert not is_open, step
            asked += 1
    assert asked >= len(SCRATCH) - 1  # some are made in one script


def test_weights_are_not_joined_with_each_other_first(steps: list[str]) -> None:
    """As in the owner's cycle, where all is one transaction and DuckDB counts no row of them."""
    refused = next(step for step in steps if "refused" in step)
    query = refused.split("temporary table identity_open as", 1)[1].split(";")[0]
    with duckdb.connect() as warehouse:
        warehouse.execute("begin")
        for table, columns in SCRATCH_ROWS.items():
            told = columns.format(
                login=f"({LOGIN}::bigint << 59) + range", email=f"({EMAIL}::bigint << 59) + range // 2"
            )
            warehouse.execute(f"create temp table {table} as select {told} from range({2 * PEOPLE})")
        answer = warehouse.execute(f"explain (analyze, format json) {query}").fetchall()
    assert most_rows(json.loads(answer[0][1])) <= 2 * PEOPLE


def most_rows(operator: dict) -> int:
    return max([operator.get("operator_cardinality", 0), *map(most_rows, operator.get("children", []))])

"""How the resolver asks: each step by itself, and nothing first with itself."""

from __future__ import annotations

import json
import re

import duckdb
import pytest
from graph_world import Graph, GraphWorld, Pair, Rule, typed

LOGIN, CONTACT, EMAIL = 0, 2, 4
RULES = [
    Rule("user_id", LOGIN, "exact", max_per_profile=1),
    Rule("crm_contact_id", CONTACT, "exact"),
    Rule("email", EMAIL, max_user_ids=3, max_crm_contacts=1),
]
STEPS = ["identity_nodes", "identity_links", "identity_open", "identity_parts", "identity_grouped"]
PEOPLE = 2000
ROWS = {
    "pairs": "node as left_node_id, node + 1 as right_node_id, 'cannot_link' as decision, true as is_live",
    "identity_groups": "node as node_id, 0::bigint as component_id",
    "identity_crowd": f"1::bigint as node_id, node as neighbour_id, {CONTACT} as neighbour_code",
    "identity_crowded": f"range as node_id, {CONTACT} as neighbour_code, 2::bigint as neighbour_count",
    "identity_weights": "node as part_id, 0::bigint as class_id, 1 as most, 1::bigint as weight",
    "identity_open": "node as left_part, range as right_part, range as position",
    "identity_apart": "0::bigint as left_node_id, 0::bigint as right_node_id",
}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The SQL of a second run, full: two logins share an address, which limits keep apart; two contacts another."""
    world = GraphWorld.build(tmp_path_factory.mktemp("graphs"))
    of_logins = [Pair(typed(LOGIN, side), typed(EMAIL, 1)) for side in (0, 1)]
    of_contacts = [Pair(typed(CONTACT, side), typed(EMAIL, 2)) for side in (0, 1)]
    world.afresh([Graph([*of_logins, *of_contacts])], RULES)
    heard: list[str] = []
    world.run("--full-refresh", hear=heard.append)
    return heard


def test_no_transaction_spans_the_steps(steps: list[str]) -> None:
    """In one, DuckDB counts no row of a scratch table: plans are made for none, on one core, with twice the memory."""
    is_open, asked = False, 0
    for step in steps:
        said = step.rsplit("*/", 1)[-1].strip().lower()
        is_open = said == "begin" or (is_open and said not in ("commit", "rollback"))
        if any(f"create or replace temporary table {name} as" in step for name in STEPS):
            assert not is_open, step
            asked += 1
    assert asked >= len(STEPS) - 1  # some are made in one script


@pytest.mark.parametrize(
    ("cte", "joined"), [("weighed", "weights of a class"), ("told", "a component"), ("smaller", "a crowd")]
)
def test_nothing_is_joined_with_itself_first(steps: list[str], cte: str, joined: str) -> None:
    """As in the owner's first cycle, where all is one transaction and DuckDB has counted no row of any table."""
    asked = (re.search(rf"temporary table \w+ as\s+(with {cte} as [^;]*)", step) for step in steps)
    query = next(found[1] for found in asked if found).replace('"test".', "")
    with duckdb.connect() as warehouse:
        warehouse.execute("begin")
        nodes = f"select range, ({LOGIN}::bigint << 59) + range as node from range(2 * {PEOPLE})"
        for table, columns in ROWS.items():
            warehouse.execute(f"create table {table} as select {columns} from ({nodes})")
        answer = warehouse.execute(f"explain (analyze, format json) {query}").fetchall()
    assert most_rows(json.loads(answer[0][1])) <= 4 * PEOPLE, joined


def most_rows(operator: dict) -> int:
    return max([operator.get("operator_cardinality", 0), *map(most_rows, operator.get("children", []))])

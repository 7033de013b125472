"""Graphs of identifiers given in Python, resolved by the dbt materialisation `resolution`, many in one dbt run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
from dbt.cli.main import dbtRunner

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
GRAPH_SPAN = 1_000_000
TYPE_SPAN = 1 << 59
BEGINNING = datetime(2026, 1, 1)  # noqa: DTZ001 - the warehouse keeps UTC without a zone

PROJECT = """
name: graphs
version: "1.0"
profile: graphs
model-paths: [models]
macro-paths: ["{macros}/identity", "{macros}/portable"]
dispatch: [{{macro_namespace: cdp, search_order: [graphs]}}]
flags: {{send_anonymous_usage_stats: false}}
"""
PROFILE = """
graphs:
  target: duckdb
  outputs:
    duckdb: {{type: duckdb, path: "{path}", schema: main, threads: 1}}
"""
RESOLVED = """
{{ config(materialized='resolution', nodes='nodes', rules='rules') }}
-- depends_on: {{ ref('nodes') }} {{ ref('rules') }}
select * from {{ ref('pairs') }}
"""
TABLES = {
    "nodes": "node_id bigint, first_landed_at timestamp, is_blocked boolean, _shape_batch bigint",
    "pairs": "left_node_id bigint, right_node_id bigint, tier integer, first_landed_at timestamp, decision varchar,"
    " is_live boolean, _batch bigint",
    "rules": "identifier_type varchar, type_code integer, strength varchar, priority integer, max_per_profile integer,"
    " max_per_window integer, window_days integer, max_user_ids integer,"
    " max_loyalty_numbers integer, max_crm_contacts integer,"
    " max_emails integer",
}


@dataclass(frozen=True)
class Rule:
    """One row of `identifier_rules`, as far as the resolver reads it."""

    identifier_type: str
    type_code: int
    strength: str = "strict"
    max_per_profile: int | None = None
    max_per_window: int | None = None
    window_days: int | None = None
    max_user_ids: int | None = None
    max_emails: int | None = None
    max_crm_contacts: int | None = None

    def row(self) -> tuple[object, ...]:
        limits = (self.max_per_profile, self.max_per_window, self.window_days, self.max_user_ids, None)
        neighbours = (self.max_crm_contacts, self.max_emails)
        return (self.identifier_type, self.type_code, self.strength, self.type_code, *limits, *neighbours)


@dataclass(frozen=True)
class Pair:
    """Evidence (or a decision) between two small node numbers; `hour` is when it first arrived."""

    one: int
    other: int
    tier: int = 1
    hour: int = 0
    decision: str | None = None
    is_live: bool = True

    @property
    def ends(self) -> tuple[int, int]:
        return min(self.one, self.other), max(self.one, self.other)


@dataclass
class Graph:
    """Pairs and when each node arrived; nodes that only pairs name arrived in hour 0."""

    pairs: list[Pair]
    hours: dict[int, int] = field(default_factory=dict)
    blocked: frozenset[int] = frozenset()

    def nodes(self) -> dict[int, int]:
        return {**{node: 0 for pair in self.pairs for node in pair.ends}, **self.hours}


class Place(NamedTuple):
    """Where the resolver puts a node."""

    component: int
    group: int
    anchor: int
    confidence: str = "exact"
    shared_with: str | None = None
    neighbours: int | None = None


def typed(type_code: int, number: int) -> int:
    """The node `number` of a type: types live in the high bits, as in `macros/identity/node_id.sql`."""
    return type_code * TYPE_SPAN + number


def moment(hour: int) -> datetime:
    return BEGINNING + timedelta(hours=hour)


def distinct(pairs: Iterable[Pair]) -> list[Pair]:
    """One pair for each two nodes, the strongest and earliest of what was told; loops dropped."""
    found: dict[tuple[int, int], Pair] = {}
    for pair in pairs:
        if pair.one == pair.other:
            continue
        known = found.get(pair.ends, pair)
        found[pair.ends] = Pair(
            *pair.ends, tier=min(known.tier, pair.tier), hour=min(known.hour, pair.hour),
            decision=known.decision or pair.decision, is_live=known.is_live or pair.is_live,
        )  # fmt: skip
    return list(found.values())


@dataclass(frozen=True)
class GraphWorld:
    """A throw-away dbt project whose only model of interest is `resolved`."""

    folder: Path

    @classmethod
    def build(cls, folder: Path, macros: Path = MACROS) -> GraphWorld:
        (folder / "models").mkdir()
        (folder / "dbt_project.yml").write_text(PROJECT.format(macros=macros))
        (folder / "profiles.yml").write_text(PROFILE.format(path=folder / "test.duckdb"))
        (folder / "models" / "resolved.sql").write_text(RESOLVED)
        for name in TABLES:
            (folder / "models" / f"{name}.sql").write_text(f"select * from main.{name}_told")
        world = cls(folder)
        world.empty()
        return world

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.folder / "test.duckdb"))

    def empty(self) -> None:
        with self.connect() as warehouse:
            for name, columns in TABLES.items():
                warehouse.execute(f"create or replace table main.{name}_told ({columns})")

    def set_rules(self, rules: Sequence[Rule]) -> None:
        with self.connect() as warehouse:
            warehouse.execute("delete from rules_told")
            insert(warehouse, "rules_told", [rule.row() for rule in rules])

    def tell(self, graphs: Sequence[Graph], batch: int) -> None:
        """Write the graphs as they stand now; a row is of this batch when it is new or says something new."""
        pairs, nodes = [], []
        for index, graph in enumerate(graphs):
            offset = index * GRAPH_SPAN
            pairs += [
                (pair.one + offset, pair.other + offset, pair.tier, moment(pair.hour), pair.decision, pair.is_live)
                for pair in distinct(graph.pairs)
            ]
            nodes += [(n + offset, moment(hour), n in graph.blocked) for n, hour in graph.nodes().items()]
        with self.connect() as warehouse:
            replace(warehouse, "pairs_told", pairs, keys=2, batch=batch)
            replace(warehouse, "nodes_told", nodes, keys=1, batch=batch)

    def resolve(self, graphs: int, *flags: str) -> list[dict[int, Place]]:
        """Run dbt and read where every node of each graph is now."""
        self.run(*flags)
        with self.connect() as warehouse:
            rows = warehouse.execute(
                "select node_id, component_id, group_id, anchor_node_id, confidence, shared_with, neighbour_count"
                " from resolved"
            ).fetchall()
        answers: list[dict[int, Place]] = [{} for _ in range(graphs)]
        for node, component, group, anchor, *told in rows:
            offset = (node % TYPE_SPAN) // GRAPH_SPAN * GRAPH_SPAN
            place = Place(component - offset, group - offset, anchor - offset, *told)
            answers[offset // GRAPH_SPAN][node - offset] = place
        return answers

    def afresh(self, graphs: Sequence[Graph], rules: Sequence[Rule]) -> list[dict[int, Place]]:
        """Resolve these graphs and nothing else, from nothing."""
        self.empty()
        self.set_rules(rules)
        self.tell(graphs, batch=1)
        return self.resolve(len(graphs), "--full-refresh")

    def run(self, *flags: str, hear: Callable[[str], object] = lambda _sql: None) -> None:
        """Run dbt; `hear` is told each statement."""
        folder = str(self.folder)
        places = ["--project-dir", folder, "--profiles-dir", folder, "--log-level-file", "none", "--no-write-json"]
        told = [lambda event: hear(event.data.sql) if event.info.name == "SQLQuery" else None]
        result = dbtRunner(callbacks=told).invoke(["--quiet", "run", *places, *flags])
        if result.exception:
            raise result.exception
        failures = [one.message for one in result.result if one.status != "success"]
        if failures:
            raise AssertionError(failures)


def insert(warehouse: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        marks = ", ".join(f"unnest(${place + 1})" for place in range(len(columns)))
        warehouse.execute(f"insert into {table} select {marks}", columns)


def replace(
    warehouse: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]], keys: int, batch: int
) -> None:
    """Set a table to these rows; unchanged ones keep their batch. Pairs that are gone stay, no longer live."""
    columns = [name for (name, *_) in warehouse.execute(f"describe {table}").fetchall()]
    known: Mapping[tuple[object, ...], tuple[object, ...]] = {
        tuple(row[:keys]): row for row in warehouse.execute(f"select * from {table}").fetchall()
    }
    wanted = {tuple(row[:keys]): tuple(row) for row in rows}
    if keys > 1:
        for key, row in known.items():
            wanted.setdefault(key, (*row[: columns.index("decision")], None, False))
    merged = [
        (*row, known[key][-1] if key in known and known[key][:-1] == row else batch) for key, row in wanted.items()
    ]
    warehouse.execute(f"delete from {table}")
    insert(warehouse, table, merged)

"""Runs the `components` materialisation over links given in Python, many graphs in one dbt run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros" / "identity"
GRAPH_SPAN = 1_000_000
TYPE_SPAN = 1 << 59

PROJECT = """
name: components_test
version: "1.0"
profile: components_test
model-paths: [models]
macro-paths: ["{macros}"]
dispatch: [{{macro_namespace: cdp, search_order: [components_test]}}]
flags: {{send_anonymous_usage_stats: false}}
"""
PROFILE = """
components_test:
  target: duckdb
  outputs:
    duckdb: {{type: duckdb, path: "{path}", schema: main, threads: 1}}
"""
MODEL = """
{{ config(materialized='components') }}
select left_node_id, right_node_id, tier, left_limit, right_limit from main.links
"""


@dataclass(frozen=True)
class Link:
    """An undirected link between two small node numbers; a node's type is set by `typed`."""

    one: int
    other: int
    tier: int = 1


def typed(type_code: int, number: int) -> int:
    """The node `number` of a type: types live in the high bits, as in `macros/identity/node_id.sql`."""
    return type_code * TYPE_SPAN + number


@dataclass(frozen=True)
class Components:
    """A throw-away dbt project whose only model is the grouping of the table `links`."""

    folder: Path

    @classmethod
    def build(cls, folder: Path) -> Components:
        (folder / "models").mkdir()
        (folder / "dbt_project.yml").write_text(PROJECT.format(macros=MACROS))
        (folder / "profiles.yml").write_text(PROFILE.format(path=folder / "test.duckdb"))
        (folder / "models" / "grouped.sql").write_text(MODEL)
        return cls(folder)

    def group(self, graphs: Sequence[Iterable[Link]], limits: dict[int, int] | None = None) -> list[dict[int, int]]:
        """Group every graph in one run; per graph, a mapping of node to its group's smallest node.

        Graphs are kept apart by adding a multiple of GRAPH_SPAN to node numbers. Links of a graph are
        put in canonical order and made unique, as the model `identifier_pairs` does.
        """
        rows = [row for index, graph in enumerate(graphs) for row in canonical(graph, index, limits or {})]
        with duckdb.connect(str(self.folder / "test.duckdb")) as warehouse:
            warehouse.execute(
                "create or replace table links (left_node_id bigint, right_node_id bigint, tier integer,"
                " left_limit integer, right_limit integer)"
            )
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                unnested = ", ".join(f"unnest(${position + 1})" for position in range(5))
                warehouse.execute(f"insert into links select {unnested}", columns)
        self.run()
        with duckdb.connect(str(self.folder / "test.duckdb")) as warehouse:
            grouped = warehouse.execute("select node_id, component_id from grouped").fetchall()
        answers: list[dict[int, int]] = [{} for _ in graphs]
        for node, group in grouped:
            index = (node % TYPE_SPAN) // GRAPH_SPAN
            answers[index][node - index * GRAPH_SPAN] = group - index * GRAPH_SPAN
        return answers

    def run(self) -> None:
        folder = str(self.folder)
        result = dbtRunner().invoke(
            ["--quiet", "run", "--project-dir", folder, "--profiles-dir", folder, "--log-level-file", "none"]
        )
        if result.exception:
            raise result.exception
        failures = [one.message for one in result.result if one.status != "success"]
        if failures:
            raise AssertionError(failures)


def canonical(
    graph: Iterable[Link], index: int, limits: dict[int, int]
) -> list[tuple[int, int, int, int | None, int | None]]:
    """One row per pair, smaller node first, strongest tier; loops dropped."""
    strongest: dict[tuple[int, int], int] = {}
    for link in graph:
        pair = (min(link.one, link.other), max(link.one, link.other))
        if pair[0] != pair[1]:
            strongest[pair] = min(link.tier, strongest.get(pair, link.tier))
    offset = index * GRAPH_SPAN
    return [
        (left + offset, right + offset, tier, limits.get(left // TYPE_SPAN), limits.get(right // TYPE_SPAN))
        for (left, right), tier in strongest.items()
    ]

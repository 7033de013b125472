"""Groups of linked records by the project's own `connected_components`, and how right they are."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from dagster_cdp.matching.macros import project_macros


@dataclass(frozen=True)
class Accuracy:
    """Of pairs of records: put together, truly of one person, and both."""

    together: int
    true: int
    both: int

    @property
    def precision(self) -> float:
        return self.both / self.together if self.together else 1.0

    @property
    def recall(self) -> float:
        return self.both / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.both / (self.together + self.true)


def group(connection: duckdb.DuckDBPyConnection, links: str) -> None:
    """Write the table `groups` (node_id, component_id) of the links (left_node_id, right_node_id)."""

    def write_scratch(name: str, query: str) -> int:
        connection.execute(f"create or replace temp table {name} as {query}")
        return count_rows(name)

    def count_rows(relation: str) -> int:
        return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])

    def drop_scratch(names: list[str]) -> None:
        for name in names:
            connection.execute(f"drop table if exists {name}")

    macros = project_macros(
        folders=("portable", "identity"), write_scratch=write_scratch, count_rows=count_rows, drop_scratch=drop_scratch
    )
    write_scratch("links", f"select distinct left_node_id, right_node_id from ({links})")
    macros.connected_components("links", "groups")


def accuracy(connection: duckdb.DuckDBPyConnection, nodes: str) -> Accuracy:
    """`nodes`: SQL giving node_id and person_id of every record; those in no group are alone."""

    def pairs(keys: str) -> str:
        return f"(select coalesce(sum(n * (n - 1) // 2), 0) from (select count(*) as n from placed group by {keys}))"

    counted = connection.execute(f"""
        with placed as (
            select nodes.person_id, coalesce(groups.component_id, nodes.node_id) as group_id
            from ({nodes}) as nodes left join groups on nodes.node_id = groups.node_id
        )
        select {pairs("group_id")}, {pairs("person_id")}, {pairs("group_id, person_id")}
    """).fetchall()
    return Accuracy(*(int(number) for number in counted[0]))

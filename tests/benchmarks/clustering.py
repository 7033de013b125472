"""Groups of linked records by the project's own `connected_components`, and how right they are."""

from __future__ import annotations

import duckdb

from dagster_cdp.matching.macros import project_macros
from tests.agreement import Agreement


def group(connection: duckdb.DuckDBPyConnection, links: str) -> None:
    """Write the table `groups` (node_id, component_id) of the links (left_node_id, right_node_id)."""

    def run_script(statements: list[str], counted: str | None = None) -> int | None:
        for statement in statements:
            connection.execute(statement)
        return count_rows(counted) if counted else None

    def count_rows(relation: str) -> int:
        return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])

    macros = project_macros(folders=("portable", "identity"), run_script=run_script, count_rows=count_rows)
    macros.write_scratch("links", f"select distinct left_node_id, right_node_id from ({links})")
    macros.connected_components("links", "groups")


def agreement(connection: duckdb.DuckDBPyConnection, nodes: str) -> Agreement:
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
    return Agreement(*(int(number) for number in counted[0]))

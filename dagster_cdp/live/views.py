"""Views of ops that were built before the tables they tell of: of cycles, messages and syncs they would say nothing."""

import logging

import duckdb

from dagster_cdp import dbt

log = logging.getLogger(__name__)

ASKS = "optional_rows("  # in a model's code: whether a table is there is decided when it is compiled
SAYS_NOTHING = "1 = 0"  # what such a model is compiled to without the table


def renew_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Build again those that were built without a table; call it once an owner has made its own."""
    there = dict(connection.execute("select view_name, sql from duckdb_views() where not internal").fetchall())
    names = sorted(
        node["name"]
        for node in dbt.manifest()["nodes"].values()
        if ASKS in node.get("raw_code", "") and SAYS_NOTHING in there.get(node["name"], "")
    )
    if names:
        outcome = dbt.invoke(["run", "--select", *names, *dbt.places(), "--no-write-json"], manifest=dbt.parsed())
        if not outcome.success:
            log.warning("what cycles take is not shown: dbt could not build %s", ", ".join(names))

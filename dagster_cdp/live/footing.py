"""What compiled models stand on besides the rows that they read: while it is the same, nothing is compiled again."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from dagster_cdp import dbt

COLUMNS = """
select schema_name || '.' || table_name, column_name, data_type
from duckdb_columns() where not internal and database_name = current_database()
order by 1, column_index
"""
ROWS = "select md5(string_agg(cast(seed as varchar), ',' order by cast(seed as varchar))) from {seed} as seed"
SETTINGS = ("CDP_", "DBT_")


def footing(models: Iterable[str], connection: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    """Columns of what they read and are, rows of seeds that macros write into SQL, and settings.

    To compile the models takes seconds without a cycle, this takes milliseconds.
    """
    manifest: Mapping[str, Any] = dbt.manifest()
    nodes: Mapping[str, Any] = manifest["nodes"] | manifest["sources"]
    models = list(models)
    read = {name for model in models for name in nodes[model]["depends_on"]["nodes"]}
    tables = {_place(nodes[name]) for name in read.union(models)}
    columns = [column for column in connection.execute(COLUMNS).fetchall() if column[0] in tables]
    seeds = sorted(nodes[name]["relation_name"] for name in read if name.startswith("seed."))
    rows = [connection.execute(ROWS.format(seed=seed)).fetchall() for seed in seeds]
    settings = sorted(item for item in os.environ.items() if item[0].startswith(SETTINGS))
    return columns, rows, settings


def _place(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"

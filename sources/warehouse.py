"""The warehouse as loading sees it: who may open it, what raw already holds, and dlt's destination.

A DuckDB file has one writer. Whoever finds it taken waits, up to a bound, and is told who holds it.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dlt
import duckdb

from sources.configuration import Configuration
from sources.names import literal
from sources.refusals import WarehouseBusy

PATIENCE = 300.0  # seconds; a full build of the models is shorter
PAUSE = 0.1  # seconds between two tries
SCHEMA = "raw"


@dataclass(frozen=True)
class Raw:
    """An open warehouse."""

    connection: Any
    row_address: str  # what tells two equal rows apart
    destination: Any

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query without parameters: the first one makes DuckDB import pandas, a second's work."""
        cursor = self.connection.cursor()
        cursor.execute(query)
        found = cursor.fetchall()
        cursor.close()
        return list(found)

    def change(self, statement: str) -> None:
        cursor = self.connection.cursor()
        cursor.execute(statement)
        cursor.close()

    def tables(self) -> set[str]:
        schema = literal(SCHEMA)
        found = self.rows(f"select table_name from information_schema.tables where table_schema = {schema}")
        return {name for (name,) in found}

    def has_load(self, load_id: str) -> bool:
        return bool(self.rows(f"select 1 from raw._dlt_loads where load_id = {literal(load_id)}"))

    def last_load(self, pipeline: str) -> str | None:
        committed = f"schema_name = {literal(pipeline)} and status = 0"
        found: str | None = self.rows(f"select max(load_id) from raw._dlt_loads where {committed}")[0][0]
        return found

    def state_version(self, pipeline: str) -> int:
        """Return the version of dlt's newest committed state of this pipeline; 0 when there is none."""
        newest = self.rows(
            "select max(state.version) from raw._dlt_pipeline_state as state "
            "inner join raw._dlt_loads as loads on state._dlt_load_id = loads.load_id and loads.status = 0 "
            f"where state.pipeline_name = {literal(pipeline)}"
        )
        return int(newest[0][0] or 0)

    def forget_shape(self, pipeline: str) -> None:
        """Make dlt look at the tables again before its next load, and create what is missing."""
        self.change(f"delete from raw._dlt_version where schema_name = {literal(pipeline)}")

    def drop_repeats(self, table: str, key: str, load_id: str) -> None:
        """Keep one of each row of a load that was cut off between a commit and its bookkeeping."""
        row, of_load = self.row_address, f"_dlt_load_id = {literal(load_id)}"
        self.change(
            f"delete from raw.{table} where {of_load} and {row} not in "
            f"(select min({row}) from raw.{table} where {of_load} group by {key})"
        )


@contextmanager
def warehouse(configuration: Configuration, patience: float = PATIENCE) -> Iterator[Raw]:
    """Open the warehouse for writing, and close it whatever happens."""
    is_postgres = configuration.target == "postgres"
    raw = open_postgres(configuration) if is_postgres else open_duckdb(configuration, patience)
    try:
        yield raw
    finally:
        if not is_postgres:  # others in this process may share the instance
            raw.connection.execute("reset preserve_insertion_order")
        raw.connection.close()


def open_duckdb(configuration: Configuration, patience: float) -> Raw:
    configuration.warehouse.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    while True:
        try:
            connection = duckdb.connect(str(configuration.warehouse))
        except duckdb.IOException as fault:
            if "Could not set lock" not in str(fault):  # a path may hold the word, too
                raise
            if time.monotonic() >= until:
                raise WarehouseBusy(busy(configuration, str(fault), patience)) from None
            time.sleep(PAUSE)
        else:
            # rows carry their number; keeping the order as well costs a third more time, and memory
            connection.execute("set preserve_insertion_order = false")
            return Raw(connection, "rowid", dlt.destinations.duckdb(connection))


def busy(configuration: Configuration, fault: str, patience: float) -> str:
    holder = re.search(r"PID (\d+)", fault)
    by = f"process {holder[1]}" if holder else "another process"
    return f"{configuration.warehouse} is held by {by}; waited {patience:.0f} s. Let it end, then load again."


def open_postgres(configuration: Configuration) -> Raw:
    import psycopg2  # noqa: PLC0415 - an extra, for those who have a server

    reached = dict(configuration.postgres)
    named = {"user": reached["username"], "dbname": reached["database"]}
    rest = {key: reached[key] for key in ("host", "port", "password")}
    connection = psycopg2.connect(**named, **rest)
    connection.autocommit = True
    return Raw(connection, "ctid", dlt.destinations.postgres(credentials=reached))

"""A loop that a test turns by hand, on a warehouse that dbt builds in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb
import pytest

from dagster_cdp import dbt
from dagster_cdp.live.loop import Loop
from sources.configuration import read_configuration
from sources.log.writer import Writer
from sources.source import all_sources
from sources.tail import Tail

MORTAL = Path(__file__).with_name("mortal.py")
ROOT = Path(__file__).parents[3]
BUILT = ("staging", "identity", "profiles", "audiences")


@dataclass
class Live:
    """A loop that a test turns by hand."""

    loop: Loop
    writer: Writer
    connection: duckdb.DuckDBPyConnection

    def write(self, lines: Iterable[tuple[str, bytes]]) -> None:
        """Append to the log, in this order."""
        for lane, group in groupby(lines, key=lambda line: line[0]):
            self.writer.append_now(lane, [line for _, line in group])

    def catch_up(self) -> None:
        while self.loop.once() is not None:
            pass

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.connection.execute(query).fetchall()


def open_warehouse(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    return connection


def place(home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CDP_HOME", str(home))
    for name in ("CDP_WAREHOUSE", "CDP_LOG", "CDP_TARGET", "CDP_NOW"):
        patch.delenv(name, raising=False)


def make_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """What loading makes before the first row, without loading."""
    connection.execute("create schema raw")
    connection.execute(
        "create table raw._dlt_loads (load_id varchar, schema_name varchar, status bigint, inserted_at timestamptz, "
        "schema_version_hash varchar)"
    )
    loads = "connector varchar, table_name varchar, load_id varchar, source_file varchar, accepted_count bigint"
    connection.execute(f"create table raw.loads ({loads}, _landed_at timestamp, _dlt_load_id varchar)")
    changes = "connector varchar, table_name varchar, column_name varchar, change varchar, source_file varchar"
    connection.execute(
        f"create table raw.schema_changes ({changes}, row_count bigint, _landed_at timestamp, _dlt_load_id varchar)"
    )
    Tail(read_configuration(), all_sources()).open(connection)


def build(*select: str, full_refresh: bool = False) -> None:
    """`dbt build` without tests, in this process."""
    words = ["run", "--select", *select, "--exclude", "resource_type:test", *dbt.places(), "--no-write-json"]
    dbt.invoke(["seed", *dbt.places(), "--no-write-json"], manifest=dbt.parsed())
    outcome = dbt.invoke([*words, *(["--full-refresh"] if full_refresh else [])], manifest=dbt.parsed())
    assert outcome.success, [r.message for r in outcome.result.results if r.status == "error"]


def start() -> subprocess.Popen[str]:
    """An owner in a process of its own, once it is ready."""
    owner = subprocess.Popen(
        [sys.executable, str(MORTAL)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    return owner

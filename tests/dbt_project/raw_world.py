"""A small raw schema on DuckDB or PostgreSQL, filled row by row, and dbt run over it in this process."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).parents[2] / "dbt_project"
STAGES = ("raw", "staging", "identity", "profiles", "audiences", "ops")
Row = Mapping[str, Any]
Statement = tuple[str, Sequence[Any]]


def declared_tables() -> dict[str, dict[str, dict[str, Any]]]:
    """Raw table -> column -> its declaration, as the dbt sources say."""
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for file in sorted((PROJECT / "models" / "staging").rglob("_*.yml")):
        for source in yaml.safe_load(file.read_text()).get("sources", []):
            for table in source["tables"]:
                tables[table["name"]] = {column["name"]: column for column in table["columns"]}
    return tables


def typed_columns(columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [f"{name} {column['data_type']}" for name, column in columns.items()]


@dataclass
class World:
    """One warehouse with an empty raw schema. `target` is a target of profiles.yml."""

    target: str
    path: Path
    manifest: Manifest | None = None
    landed: int = field(default=0)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall())

    def execute(self, statements: Iterable[Statement]) -> None:
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute("begin")
            for sql, values in statements:
                cursor.execute(sql.replace("?", "%s") if self.target == "postgres" else sql, values)
            cursor.execute("commit")

    def connect(self) -> Any:
        if self.target == "duckdb":
            return duckdb.connect(str(self.path))
        import psycopg2  # an optional dependency

        return psycopg2.connect(dbname=os.environ.get("PGDATABASE", "cdp"))

    def prepare(self) -> None:
        """An empty raw schema; nothing of an earlier test is left."""
        drops = [(f"drop schema if exists {stage} cascade", ()) for stage in STAGES]
        tables = [
            (f"create table raw.{table} ({', '.join(typed_columns(columns))})", ())
            for table, columns in declared_tables().items()
        ]
        self.execute([*drops, ("create schema raw", ()), *tables])

    def land(self, load: str, table: str, rows: Iterable[Row], landed_at: str) -> None:
        self.execute(self.inserts(load, table, rows, landed_at))

    def inserts(self, load: str, table: str, rows: Iterable[Row], landed_at: str) -> list[Statement]:
        """Statements that append rows to a raw table; plumbing that a row doesn't give is filled in."""
        statements: list[Statement] = []
        for row in rows:
            self.landed += 1
            content = {key: value for key, value in row.items() if not key.startswith("_")}
            whole = {
                "_row_id": f"row-{self.landed}",
                "_source_file": f"{load}.jsonl",
                "_row_number": self.landed,
                "_landed_at": landed_at,
                "_row_hash": hashlib.md5(json.dumps(content).encode()).hexdigest(),  # noqa: S324 - as loading does
                "_dlt_load_id": load,
                **row,
            }
            marks = ", ".join("?" for _ in whole)
            insert = f"insert into raw.{table} ({', '.join(whole)}) values ({marks})"
            statements.append((insert, [*whole.values()]))
        return statements

    def commit(self, *loads: str) -> None:
        """Let the rows of these loads count from now on."""
        commit = "insert into raw._dlt_loads (load_id, schema_name, status) values (?, 'test', 0)"
        self.execute([(commit, [load]) for load in loads])

    def dbt(self, *arguments: str) -> Any:
        """Run dbt; raises with dbt's own messages when anything fails."""
        return run_dbt([*arguments, "--target", self.target], self.path.parent, self.manifest)

    def rows(self, relation: str) -> list[tuple[Any, ...]]:
        """Every column but the build number, sorted."""
        schema, name = relation.split(".")
        columns = self.query(
            f"select column_name from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{name}' order by column_name"
        )
        named = ", ".join(column for (column,) in columns if column not in ("_batch", "_is_repeated"))
        return sorted(self.query(f"select {named} from {relation}"), key=repr)


def run_dbt(arguments: list[str], folder: Path, manifest: Manifest | None = None) -> Any:
    project = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    output = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    # Writing what dbt made of the project takes longer than a model of a few rows.
    quiet = ["--quiet", "--log-level-file", "none", "--no-write-json"]
    result = dbtRunner(manifest=manifest).invoke([*quiet, *arguments, *project, *output])
    if result.exception:
        raise result.exception
    if not result.success:
        raise AssertionError([one.message for one in result.result if one.status not in ("success", "pass")])
    return result.result

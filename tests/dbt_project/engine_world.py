"""Graphs resolved by PostgreSQL or Spark: told to DuckDB as ever, copied over, and read back."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from graph_world import TABLES, GraphWorld, insert

SCHEMA = "graphs"
RESOLVED = {
    "node_id": "bigint", "component_id": "bigint", "group_id": "bigint", "anchor_node_id": "bigint",
    "confidence": "varchar", "shared_with": "varchar", "neighbour_count": "integer", "_batch": "bigint",
}  # fmt: skip


@dataclass(frozen=True)
class EngineWorld(GraphWorld, ABC):
    """A graph world whose dbt project runs on another engine."""

    profile: ClassVar[str]

    @classmethod
    def build(cls, folder: Path) -> EngineWorld:
        world = super().build(folder)
        assert isinstance(world, cls)
        (folder / "profiles.yml").write_text(f"graphs:\n  target: engine\n  outputs:\n    engine: {cls.profile}\n")
        for name in TABLES:
            (folder / "models" / f"{name}.sql").write_text(f"select * from {SCHEMA}.{name}_told")
        world.recreate()
        return world

    def run(self, *flags: str) -> None:
        for name in TABLES:
            self.copy_over(f"{name}_told")
        super().run(*flags)
        rows = self.read(f"select {', '.join(RESOLVED)} from {SCHEMA}.resolved")
        with self.connect() as book:
            columns = ", ".join(f"{name} {kind}" for name, kind in RESOLVED.items())
            book.execute(f"create or replace table resolved ({columns})")
            insert(book, "resolved", rows)

    @abstractmethod
    def recreate(self) -> None:
        """An empty schema."""

    @abstractmethod
    def copy_over(self, table: str) -> None:
        """Make the engine's table what the one in DuckDB is."""

    @abstractmethod
    def read(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""


class PostgresWorld(EngineWorld):
    """On the server that the PG* variables name."""

    profile = (
        "{type: postgres, host: \"{{ env_var('PGHOST') }}\", port: \"{{ env_var('PGPORT') | int }}\","
        " user: \"{{ env_var('PGUSER') }}\", password: \"{{ env_var('PGPASSWORD', '') }}\","
        f" dbname: \"{{{{ env_var('PGDATABASE', 'cdp') }}}}\", schema: {SCHEMA}, threads: 1}}"
    )

    def recreate(self) -> None:
        self.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")

    def copy_over(self, table: str) -> None:
        from psycopg2.extras import execute_values

        with self.connect() as book:
            rows = book.execute(f"select * from {table}").fetchall()
        columns = TABLES[table.removesuffix("_told")]
        with closing(self.server()) as server, server, server.cursor() as cursor:
            cursor.execute(f"create table if not exists {SCHEMA}.{table} ({columns}); truncate {SCHEMA}.{table}")
            execute_values(cursor, f"insert into {SCHEMA}.{table} values %s", rows, page_size=5000)

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self.server()) as server, server.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def execute(self, sql: str) -> None:
        with closing(self.server()) as server, server, server.cursor() as cursor:
            cursor.execute(sql)

    @staticmethod
    def server() -> Any:
        import psycopg2  # an optional dependency

        return psycopg2.connect(dbname=os.environ.get("PGDATABASE", "cdp"))


class SparkWorld(EngineWorld):
    """On Spark in this process; `spark_session` must have been started before dbt asks for one."""

    profile = f"{{type: spark, method: session, host: NA, schema: {SCHEMA}, threads: 1}}"

    def recreate(self) -> None:
        session().sql(f"drop schema if exists {SCHEMA} cascade")
        session().sql(f"create schema {SCHEMA}")

    def copy_over(self, table: str) -> None:
        """By a Parquet file. The folder's name is new each time: Spark remembers the files of a path."""
        count = len(list(self.folder.glob(f"{table}.*.parquet")))
        file = self.folder / f"{table}.{count}.parquet"
        with self.connect() as book:
            book.execute(f"copy {table} to '{file}' (format parquet)")
        columns = [column.split(" ") for column in TABLES[table.removesuffix("_told")].split(", ")]
        cast = ", ".join(f"cast({name} as {kind.replace('varchar', 'string')}) as {name}" for name, kind in columns)
        session().sql(f"drop table if exists {SCHEMA}.{table}")
        session().sql(f"create table {SCHEMA}.{table} using parquet as select {cast} from parquet.`{file}`")

    def read(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in session().sql(query).collect()]


def session() -> Any:
    from pyspark.sql import SparkSession  # an optional dependency

    return SparkSession.getActiveSession()


def start_spark(folder: Path, master: str) -> Any:
    """A session that keeps its tables in a folder and its catalogue in memory, and talks to this machine only."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        # Graphs of a few rows: to compile a statement costs more than to run it.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:graphs;create=true",
        # Of a minute's work the best machine code is not worth its making.
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.executor.memory": "1g",
    }
    builder = SparkSession.builder.master(master).appName("graphs").enableHiveSupport()
    for name, value in settings.items():
        builder = builder.config(name, value)
    started = builder.getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    return started

"""A warehouse with a raw table and an audience that a gate can look at, on both engines."""

import os
from contextlib import closing
from dataclasses import dataclass

import duckdb
import pytest

from reverse_etl.warehouse import DuckDBWarehouse, PostgresWarehouse, Warehouse
from sources.configuration import read_configuration

RAW = "raw.shop__orders"
AUDIENCE = "audiences.fans"


@dataclass
class Shop:
    """What sources and dbt would have written."""

    warehouse: Warehouse

    def land(self, load, rows, *, status=0, by="shop"):
        """One load of (id, email) rows; status 1 is a load that never ended."""
        self.warehouse.execute("insert into raw._dlt_loads values (?, ?, ?)", [load, status, by])
        for key, email in rows:
            self.warehouse.execute(f"insert into {RAW} values (?, ?, ?)", [key, email, load])

    def build(self, rows):
        """The audience anew, from (profile_id, email) rows."""
        self.warehouse.execute(f"delete from {AUDIENCE}")
        for profile, email in rows:
            self.warehouse.execute(f"insert into {AUDIENCE} values (?, ?)", [profile, email])

    def verdict_rows(self):
        return self.warehouse.execute("select * from ops.gate_results order by checked_at, gate_id")


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def shop(request, cdp_home):
    """A shop whose tables are still empty."""
    opened = open_duckdb() if request.param == "duckdb" else request.getfixturevalue("empty_postgres")
    with closing(opened) as warehouse:
        for schema in ("raw", "audiences"):
            warehouse.execute(f"create schema {schema}")
        warehouse.execute("create table raw._dlt_loads (load_id varchar, status bigint, schema_name varchar)")
        warehouse.execute(f"create table {RAW} (id varchar, email varchar, _dlt_load_id varchar)")
        warehouse.execute(f"create table {AUDIENCE} (profile_id varchar, email varchar)")
        yield Shop(warehouse)


def open_duckdb():
    return DuckDBWarehouse(duckdb.connect(read_configuration().warehouse))


@pytest.fixture
def empty_postgres(monkeypatch):
    """A warehouse that is a database of its own, made anew; whoever asks closes it."""
    if os.environ.get("CDP_TEST_POSTGRES") != "1":
        pytest.skip("set CDP_TEST_POSTGRES=1 and the PG* variables")
    psycopg2 = pytest.importorskip("psycopg2")
    name = f"{os.environ['PGDATABASE']}_dagster"
    with closing(psycopg2.connect(dbname="postgres")) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(f"drop database if exists {name} with (force)")
            cursor.execute(f"create database {name}")
    monkeypatch.setenv("CDP_TARGET", "postgres")
    monkeypatch.setenv("PGDATABASE", name)
    return PostgresWarehouse(psycopg2.connect(dbname=name))

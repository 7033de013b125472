"""A warehouse on each engine, and the town in it."""

import os

import duckdb
import pytest
from activation_town import Town
from crowd import Crowd
from target_database import emptied
from vendor_desk import desk_of

from reverse_etl.warehouse import DuckDBWarehouse, open_warehouse

ENGINES = ["duckdb"]
if os.environ.get("CDP_TEST_POSTGRES") == "1":
    ENGINES.append(pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(params=ENGINES)
def warehouse(request, monkeypatch):
    """An empty warehouse: DuckDB in memory; PostgreSQL by the PG* variables with CDP_TEST_POSTGRES=1."""
    if request.param == "duckdb":
        opened = DuckDBWarehouse(duckdb.connect(config={"threads": 1}))
    else:
        monkeypatch.setenv("CDP_TARGET", "postgres")
        opened = open_warehouse()
        for schema in ("activation", "audiences", "profiles", "ops", "identity", "staging"):
            opened.execute(f"drop schema if exists {schema} cascade")
    yield opened
    opened.close()


@pytest.fixture
def town(warehouse):
    return Town(warehouse)


@pytest.fixture
def crowd(warehouse):
    return Crowd(warehouse)


@pytest.fixture
def desk(cdp_home):
    """The sandbox with every vendor."""
    with desk_of() as desk:
        yield desk


@pytest.fixture(params=ENGINES)
def database(request, tmp_path, monkeypatch):
    """A database that a sync to `sql_table` writes, on each engine."""
    database = emptied(request.param, tmp_path)
    monkeypatch.setenv("SQL_TABLE_URL", database.address)
    return database

"""Warehouses that dbt can be run on: DuckDB always, PostgreSQL where one is offered."""

from __future__ import annotations

import os

import pytest
from raw_world import World, run_dbt

from dagster_cdp.dbt_flags import forget_who_declared

forget_who_declared()  # hundreds of commands in one process took most of their time for it


@pytest.fixture(scope="session")
def duckdb_manifest(tmp_path_factory):
    """The project parsed once; it names the database `warehouse`, as every file of these tests is."""
    folder = tmp_path_factory.mktemp("manifest")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CDP_WAREHOUSE", str(folder / "warehouse.duckdb"))
        return run_dbt(["parse", "--target", "duckdb"], folder)


@pytest.fixture
def world(tmp_path, monkeypatch, duckdb_manifest):
    """DuckDB with an empty raw schema."""
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("CDP_WAREHOUSE", str(path))
    made = World("duckdb", path, duckdb_manifest)
    made.prepare()
    return made


@pytest.fixture(scope="session")
def postgres_manifest(tmp_path_factory):
    if os.environ.get("CDP_TEST_POSTGRES") != "1":
        pytest.skip("needs CDP_TEST_POSTGRES=1 and the PG* variables of a server it may empty")
    return run_dbt(["parse", "--target", "postgres"], tmp_path_factory.mktemp("manifest"))


@pytest.fixture
def postgres_world(tmp_path, postgres_manifest):
    """PostgreSQL with an empty raw schema; drops the stages of that database."""
    made = World("postgres", tmp_path / "warehouse", postgres_manifest)
    made.prepare()
    return made

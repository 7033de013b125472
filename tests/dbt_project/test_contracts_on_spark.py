"""Spark gives identity and the golden record the columns that their contracts promise, over staging without rows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from engine_world import start_spark
from raw_world import PROJECT, World
from test_contracts import GOLDEN

PROFILE = "cdp: {target: spark, outputs: {spark: {type: spark, method: session, host: NA, schema: ops, threads: 1}}}\n"
STRATEGIES = {"incremental_strategy='replace'": "incremental_strategy='append'", "delete+insert": "append"}


@pytest.fixture
def spark(tmp_path):
    if os.environ.get("CDP_TEST_SPARK") != "1":
        pytest.skip("needs CDP_TEST_SPARK=1, Java 17 and the extra `spark`")
    started = start_spark(tmp_path, "local[1]")
    yield started
    started.stop()


def copy_project(folder: Path) -> Path:
    """The project with strategies that a plain Spark table knows; a first build uses none."""
    copy = folder / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs", ".user.yml"))
    for file in [copy / "dbt_project.yml", *(copy / "models").rglob("*.sql")]:
        text = file.read_text()
        for ours, theirs in STRATEGIES.items():
            text = text.replace(ours, theirs)
        file.write_text(text)
    (copy / "profiles.yml").write_text(PROFILE)
    return copy


def tell_spark(spark: Any, world: World) -> None:
    """Staging and the seeds as DuckDB has them, the rules with their rows."""
    relations: dict[str, list[str]] = {}
    for schema, table, column, kind in world.query(
        "select table_schema, table_name, column_name, lower(data_type) from information_schema.columns"
        " where table_schema in ('staging', 'identity', 'profiles') order by ordinal_position"
    ):
        relations.setdefault(f"{schema}.{table}", []).append(f"{column} {kind.replace('varchar', 'string')}")
    for schema in ("staging", "identity", "profiles", "ops"):
        spark.sql(f"create schema {schema}")
    for name, columns in relations.items():
        spark.sql(f"create table {name} ({', '.join(columns)}) using parquet")
    rows = world.query("select * from identity.identifier_rules")
    spark.createDataFrame(rows, spark.table("identity.identifier_rules").schema).write.insertInto(
        "identity.identifier_rules"
    )


@pytest.mark.spark
@pytest.mark.whole
def test_spark_gives_what_contracts_promise(world, spark, tmp_path):
    from dbt.cli.main import dbtRunner

    world.dbt("build", "--select", "staging", "resource_type:seed", "--resource-type", "model", "seed")
    tell_spark(spark, world)
    project = str(copy_project(tmp_path))
    places = ["--project-dir", project, "--profiles-dir", project, "--log-level-file", "none"]
    result = dbtRunner().invoke(["--quiet", "run", "--select", "models/identity", *GOLDEN, *places])
    assert [one.message for one in result.result if one.status != "success"] == []

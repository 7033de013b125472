"""What one cycle runs after landing: the hot models in order, exactly as dbt compiled them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from dagster_cdp import dbt
from dagster_cdp.live.gate import NotHot, require_hot, require_same
from dagster_cdp.live.resident import Incremental, Resident, compile_hot


@dataclass(frozen=True)
class Step:
    """One model: statements that dbt rendered, or, without any, a materialisation that dbt runs itself."""

    unique_id: str
    name: str
    relation: str
    statements: Sequence[str] = ()


@dataclass
class Plan:
    """The hot models, compiled for the warehouse as it is. Good until a build changes seeds, rules or columns."""

    steps: Sequence[Step]
    resident: Resident
    seconds: dict[str, float] = field(default_factory=dict)  # of the last run, by model

    def run(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Run every model once, in the transaction that is open on the connection."""
        for step in self.steps:
            began = time.perf_counter()
            if step.statements:
                for statement in step.statements:
                    connection.execute(statement)
            else:
                self.resident.materialise(step.unique_id)
            self.seconds[step.name] = time.perf_counter() - began


def make_plan(connection: duckdb.DuckDBPyConnection) -> Plan:
    """Judge, compile and render the hot models. Raises NotHot or NotCompiled."""
    models = require_hot(dbt.manifest())
    refuse_unbuilt(models, connection)
    resident, nodes = compile_hot(models, connection)
    steps = [_step(nodes[unique_id], resident, connection) for unique_id in models]
    return Plan(steps, resident)


def refuse_unbuilt(models: Sequence[str], connection: duckdb.DuckDBPyConnection) -> None:
    """A model compiled before its table is there would be compiled as a full refresh."""
    if missing := unbuilt(models, connection):
        raise NotHot(f"not built yet: {', '.join(missing)}; run `cdp run` once")


def unbuilt(models: Sequence[str], connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Which of these models have no table."""
    found = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    nodes: Mapping[str, Any] = dbt.manifest()["nodes"]
    return [nodes[name]["name"] for name in models if (nodes[name]["schema"], nodes[name]["alias"]) not in set(found)]


def _step(node: Any, resident: Resident, connection: duckdb.DuckDBPyConnection) -> Step:
    relation = f"{node.schema}.{node.alias}"
    if node.config.materialized != "incremental":
        return Step(node.unique_id, node.name, relation)
    rendered: Incremental = resident.incremental(node)
    require_same(node.compiled_code, rendered.statements, node.name)
    _refuse_other_columns(node, relation, connection)
    return Step(node.unique_id, node.name, relation, rendered.statements)


def _refuse_other_columns(node: Any, relation: str, connection: duckdb.DuckDBPyConnection) -> None:
    """A model edited since its table was built; delete+insert would leave the new column out without a word."""
    given = {row[0] for row in connection.execute(f"describe ({node.compiled_code})").fetchall()} - {"_is_gone"}
    there = {row[0] for row in connection.execute(f"describe {relation}").fetchall()} - {"_is_gone"}
    if given != there:
        changed = ", ".join(sorted(given ^ there))
        raise NotHot(f"{node.name} has other columns than its table ({changed}); run `dbt build -s {node.name}+` first")

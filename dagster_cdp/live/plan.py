"""What one cycle runs after landing: the hot models in order, exactly as dbt compiled them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from dagster_cdp import dbt
from dagster_cdp.live.footing import footing
from dagster_cdp.live.gate import NotHot, asks_time, require_hot, require_same
from dagster_cdp.live.resident import Incremental, Resident, compile_hot


@dataclass(frozen=True)
class Step:
    """One model: statements that dbt rendered, or, without any, a materialisation that dbt runs itself."""

    unique_id: str
    name: str
    relation: str
    reads: frozenset[str]  # unique ids of the tables that it reads, through views too
    reads_clock: bool = False
    statements: Sequence[str] = ()
    notes_reading: bool = False  # also that nothing came of what it read


@dataclass
class Plan:
    """The hot models, compiled for the warehouse as it is. Good until a build changes seeds, rules or columns."""

    steps: Sequence[Step]
    resident: Resident
    project: object = None  # as it was parsed
    stands_on: tuple[Any, ...] = ()  # a footing
    is_fresh: bool = True  # what changed before the first run is not known, so everything runs
    seconds: dict[str, float] = field(default_factory=dict)  # of the last run, by model
    changed: set[str] = field(default_factory=set)  # unique ids of what the last run wrote to
    at: str = ""  # the model that is being run, or could not be

    def run(self, connection: duckdb.DuckDBPyConnection, landed: Iterable[str], *, is_tick: bool = False) -> None:
        """Run, in the transaction that is open, every model that something of what it reads is new to.

        A model is a function of what it reads and perhaps of the clock: `landed` names tables of raw, and with
        `is_tick` the clock counts as changed.
        """
        self.seconds.clear()
        self.changed = {f"source.cdp.raw.{name}" for name in landed}
        for step in self.steps:
            if self.is_fresh or step.reads & self.changed or (is_tick and step.reads_clock):
                began, self.at = time.perf_counter(), step.name
                if self._run_step(step, connection):
                    self.changed.add(step.unique_id)
                self.seconds[step.name] = time.perf_counter() - began
        self.is_fresh, self.at = False, ""

    def still_stands(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether to compile again would give the same."""
        if self.project is not dbt.parsed():
            return False
        return self.stands_on == footing([step.unique_id for step in self.steps], connection)

    def _run_step(self, step: Step, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether there was anything to write."""
        if not step.statements:
            self.resident.materialise(step.unique_id)
            return True
        scratch, *write, drop = step.statements
        count = connection.execute(scratch).fetchall()[0][0]
        for statement in write if count or step.notes_reading else ():
            connection.execute(statement)
        connection.execute(drop)
        return bool(count)


def make_plan(connection: duckdb.DuckDBPyConnection) -> Plan:
    """Judge, compile and render the hot models. Raises NotHot or NotCompiled."""
    models = require_hot(dbt.manifest())
    refuse_unbuilt(models, connection)
    resident, nodes = compile_hot(models, connection)
    steps = [_step(nodes[unique_id], resident, connection) for unique_id in models]
    return Plan(steps, resident, dbt.parsed(), footing(models, connection))


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
    reads, reads_clock = tables_read(node.unique_id, dbt.manifest())
    if node.config.materialized != "incremental":
        return Step(node.unique_id, node.name, relation, reads, reads_clock)
    rendered: Incremental = resident.incremental(node)
    require_same(node.compiled_code, rendered.statements, node.name)
    _refuse_other_columns(node, relation, connection)
    notes_reading = bool(node.config.get("reads"))
    return Step(node.unique_id, node.name, relation, reads, reads_clock, rendered.statements, notes_reading)


def tables_read(unique_id: str, manifest: Mapping[str, Any]) -> tuple[frozenset[str], bool]:
    """Unique ids of the tables a model reads, looking through views; and whether anything on the way asks the time."""
    tables: set[str] = set()
    asks = asks_time(manifest["nodes"][unique_id], manifest)
    waiting = list(manifest["nodes"][unique_id]["depends_on"]["nodes"])
    while waiting:
        node = manifest["nodes"].get(name := waiting.pop())
        if node is None or node["config"]["materialized"] != "view":
            tables.add(name)
        else:
            asks = asks or asks_time(node, manifest)
            waiting += node["depends_on"]["nodes"]
    return frozenset(tables), asks


def _refuse_other_columns(node: Any, relation: str, connection: duckdb.DuckDBPyConnection) -> None:
    """A model edited since its table was built; delete+insert would leave the new column out without a word."""
    try:
        given = {row[0] for row in connection.execute(f"describe ({node.compiled_code})").fetchall()} - {"_is_gone"}
    except duckdb.BinderException as fault:
        raise NotHot(f"{node.name} asks a table for what it has not; run `dbt build -s +{node.name}` first") from fault
    there = {row[0] for row in connection.execute(f"describe {relation}").fetchall()} - {"_is_gone"}
    if given != there:
        changed = ", ".join(sorted(given ^ there))
        raise NotHot(f"{node.name} has other columns than its table ({changed}); run `dbt build -s {node.name}+` first")

"""What each stage was last built from, so that a stage with nothing new to read isn't built again.

A stage's tables are a function of the project's files, what the stages to its left hold, and the day
(windows are whole UTC days). Rows taken out by hand to the left are noticed by the counts.
"""

import hashlib
import uuid
from collections.abc import Iterable

from dagster_cdp import dbt
from dagster_cdp.warehouse import connect
from reverse_etl.warehouse import Warehouse
from sources.configuration import read_configuration

READS = {
    "staging": ("raw",),
    "ops": ("raw", "staging", "identity"),
    "identity": ("staging",),
    "profiles": ("staging", "identity"),
    "audiences": ("identity", "profiles"),
}


def begin(stage: str) -> str | None:
    """Note that the stage is being built, whatever becomes of it; None when it need not be.

    The note comes first: a build that is killed leaves a stage that must be built again.
    """
    with connect(f"is {stage} new") as warehouse:
        _open(warehouse)
        fingerprint = _fingerprint(stage, warehouse)
        if _known(stage, warehouse)[1] == fingerprint:
            return None
        _write(stage, None, warehouse)
    return fingerprint


def finish(stage: str, fingerprint: str) -> None:
    """Note what the whole stage was built from."""
    with connect(f"{stage} is built") as warehouse:
        warehouse.execute("update ops.stage_builds set fingerprint = ? where stage = ?", [fingerprint, stage])


def begin_part(stage: str) -> None:
    """Note that a part of the stage is being built: what reads it is stale, and so is the rest of it."""
    with connect(f"a part of {stage}") as warehouse:
        _open(warehouse)
        _write(stage, None, warehouse)


def forget() -> None:
    """Let the next run build every stage."""
    with connect("forgetting builds") as warehouse:
        _open(warehouse)
        warehouse.execute("delete from ops.stage_builds")


def _open(warehouse: Warehouse) -> None:
    warehouse.execute("create schema if not exists ops")
    warehouse.execute(
        "create table if not exists ops.stage_builds (stage varchar, build_id varchar, fingerprint varchar)"
    )


def _write(stage: str, fingerprint: str | None, warehouse: Warehouse) -> None:
    with warehouse.transaction():
        warehouse.execute("delete from ops.stage_builds where stage = ?", [stage])
        build = [stage, uuid.uuid4().hex, fingerprint]
        warehouse.execute("insert into ops.stage_builds values (?, ?, ?)", build)


def _known(stage: str, warehouse: Warehouse) -> tuple[str | None, str | None]:
    rows = warehouse.execute("select build_id, fingerprint from ops.stage_builds where stage = ?", [stage])
    return (str(rows[0][0]), rows[0][1]) if rows else (None, None)


def _fingerprint(stage: str, warehouse: Warehouse) -> str:
    read = [_loads(warehouse) if left == "raw" else _holds(left, warehouse) for left in READS[stage]]
    parts = [stage, f"{read_configuration().clock():%Y-%m-%d}", _files(), *read]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _holds(stage: str, warehouse: Warehouse) -> str:
    """Which build of a stage there is, and how many rows it has now."""
    build, _ = _known(stage, warehouse)
    return f"{build} {sorted(row_counts(models_of(stage), warehouse).items())}" if build else "nothing"


def models_of(stage: str) -> list[str]:
    """Their unique ids in the manifest."""
    nodes = dbt.manifest()["nodes"].items()
    return [name for name, node in nodes if node["resource_type"] == "model" and node["schema"] == stage]


def row_counts(unique_ids: Iterable[str], warehouse: Warehouse) -> dict[str, int]:
    """Rows of the relations of these models and seeds, in one question."""
    nodes = {name: dbt.manifest()["nodes"][name] for name in unique_ids}
    counted = (f"select '{name}', count(*) from {node['schema']}.{node['alias']}" for name, node in nodes.items())
    rows = warehouse.execute(" union all ".join(counted)) if nodes else []
    return {str(name): int(count) for name, count in rows}


def _loads(warehouse: Warehouse) -> str:
    committed = "select count(*), max(load_id), max(inserted_at) from raw._dlt_loads where status = 0"
    return str(warehouse.execute(committed))


def _files() -> str:
    digest = hashlib.sha256()
    for file in dbt.inputs():
        digest.update(f"{file.relative_to(dbt.FOLDER)}\n".encode() + file.read_bytes())
    return digest.hexdigest()

"""dlt's local state follows the warehouse: what isn't there was never loaded.

A warehouse that was deleted, replaced, or restored from a copy makes loading start where that warehouse
stands; a dropped table makes that table start again.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from dlt import Pipeline
from dlt.common.versioned_state import decompress_state

from sources.configuration import Configuration
from sources.log.reader import Position
from sources.names import literal
from sources.source import Source
from sources.warehouse import Raw

BOOKS = frozenset({"_dlt_loads", "_dlt_version", "_dlt_pipeline_state"})
REPORTS = {  # and what tells their rows apart within a load
    "loads": "table_name, source_file",
    "schema_changes": "table_name, source_file, column_name, change",
}
POSITIONS = "log_positions"  # how far the log was landed by whoever landed it without dlt
Later = Callable[[Position, Position], Position]
LAST_LOAD = "last_load_id"
LOOK = "warehouse_as_last_seen"


def follow(pipeline: Pipeline, source: Source, raw: Raw) -> tuple[Pipeline, list[str]]:
    """Return the pipeline in step with the warehouse, and the tables that have to be created."""
    present = raw.tables()
    if not in_step(pipeline, source, raw, present):
        pipeline = start_from(pipeline, raw, present)
    missing = [name for name in tables_of(source) if name not in present]
    if missing and present >= BOOKS:
        raw.forget_shape(source.name)
        forget_progress(pipeline, source, missing)
    if present >= BOOKS and (last := raw.last_load(source.name)):
        pipeline.set_local_state_val(LAST_LOAD, last)
    return pipeline, missing


def in_step(pipeline: Pipeline, source: Source, raw: Raw, present: set[str]) -> bool:
    """Whether the warehouse holds the loads that the local state is built on."""
    last = local_value(pipeline, LAST_LOAD)
    if not present >= BOOKS:
        return last is None and (pipeline.first_run or pipeline.has_pending_data)
    if last is not None and not raw.has_load(last):
        return False
    there, here = raw.state_version(source.name), int(pipeline.state["_state_version"])
    return there == here or (there < here and pipeline.has_pending_data)


def start_from(pipeline: Pipeline, raw: Raw, present: set[str]) -> Pipeline:
    """Forget everything local, and take up the state the warehouse holds, if any."""
    fresh = pipeline.drop()
    if present >= BOOKS:
        fresh.sync_destination(destination=raw.destination)
    return fresh


def forget_progress(pipeline: Pipeline, source: Source, tables: Sequence[str]) -> None:
    """Start these tables again; the state goes to the warehouse with the next load."""
    with pipeline.managed_state() as state:
        resources = state.get("sources", {}).get(source.name, {}).get("resources", {})
        for table in tables:
            resources.pop(table, None)
            resources.pop(f"{table}__pages", None)
            resources.pop(f"{table}__log", None)


def take_up_positions(pipeline: Pipeline, source: Source, raw: Raw, later: Later) -> None:
    """Go on in the log behind what was landed live; the state goes to the warehouse with the next load."""
    if POSITIONS not in raw.tables():
        return
    said = dict(raw.rows(f"select table_name, position from raw.{POSITIONS}"))
    with pipeline.managed_state() as state:
        resources = state.setdefault("sources", {}).setdefault(source.name, {}).setdefault("resources", {})
        for name in said.keys() & set(tables_of(source)):
            kept = resources.setdefault(f"{name}__log", {})
            kept["position"] = later(json.loads(said[name]), kept.get("position", {}))


def state_in(pipeline: str, rows: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, Any]:
    """Return what the warehouse's newest committed state of a pipeline says of each resource."""
    if not rows("select 1 from information_schema.tables where table_name = '_dlt_pipeline_state'"):
        return {}
    newest = rows(
        "select state.state from raw._dlt_pipeline_state as state "
        "inner join raw._dlt_loads as loads on state._dlt_load_id = loads.load_id and loads.status = 0 "
        f"where state.pipeline_name = {literal(pipeline)} order by state.version desc limit 1"
    )
    state: Any = decompress_state(newest[0][0]) if newest else {}
    return dict(state.get("sources", {}).get(pipeline, {}).get("resources", {}))


def finish_pending(pipeline: Pipeline, source: Source, raw: Raw) -> list[str]:
    """Finish the load packages of a run that was cut off. A row it had landed already stays once."""
    if not pipeline.has_pending_data:
        return []
    pipeline.normalize()
    finished = list(pipeline.load(destination=raw.destination).loads_ids)
    keys = {**dict.fromkeys(tables_of(source), "_row_id"), **REPORTS}
    present = raw.tables()
    for load_id in finished:
        for name in keys.keys() & present:
            raw.drop_repeats(name, keys[name], load_id)
    pipeline.set_local_state_val(LAST_LOAD, finished[-1])
    return finished


def progress(pipeline: Pipeline, source: Source) -> dict[str, Any]:
    """Return dlt's state of each resource of the source: what was read so far."""
    resources = pipeline.state.get("sources", {}).get(source.name, {}).get("resources", {})
    return dict(resources)


def look(configuration: Configuration) -> list[list[int]] | None:
    """Describe the warehouse file as it lies there; null for a server, which has no file to look at."""
    if configuration.target != "duckdb":
        return None
    files = [
        configuration.warehouse,
        configuration.warehouse.with_name(configuration.warehouse.name + ".wal"),
    ]
    facts = [file.stat() for file in files if file.exists()]
    return [[fact.st_ino, fact.st_size, fact.st_mtime_ns] for fact in facts]


def local_value(pipeline: Pipeline, key: str) -> Any:
    """Return a value kept beside the local state only, or null."""
    return pipeline.state["_local"].get(key)


def tables_of(source: Source) -> list[str]:
    return [*(source.raw_name(table) for table in source.tables), *REPORTS]

"""Load a source: find what is new, conform it, and append it to raw in one dlt load package."""

import fcntl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import dlt
import pyarrow as pa
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.changes import LOADS, SCHEMA_CHANGES, Change, SchemaChange, changes_table, loads_table
from sources.configuration import Configuration, read_configuration
from sources.conform import hints
from sources.landing import Landing
from sources.origins import Origin, origin_of
from sources.origins.log import Log
from sources.refusals import LoadFailed, Refused, WarehouseBusy
from sources.source import Source, Table
from sources.standing import (
    LAST_LOAD,
    LOOK,
    finish_pending,
    follow,
    local_value,
    look,
    progress,
    take_up_positions,
)
from sources.warehouse import PATIENCE, PAUSE, SCHEMA, warehouse

REPORTS = {"loads": LOADS, "schema_changes": SCHEMA_CHANGES}
REPORT_HINTS = {"_landed_at": {"data_type": "timestamp", "timezone": False}}
LOADER_FORMAT = {"duckdb": "parquet", "postgres": "csv"}

dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
dlt.config["extract.next_item_mode"] = "fifo"  # reports are written after what they report on
dlt.config["data_writer.compression"] = "none"  # load packages live for seconds
dlt.config["load.delete_completed_jobs"] = True
dlt.config["runtime.log_level"] = "ERROR"


@dataclass(frozen=True)
class LoadReport:
    """What one load did. Rows are counted per table; changes name columns, never values."""

    source: str
    rows: Mapping[str, int] = field(default_factory=dict)
    files: Sequence[str] = ()
    changes: Sequence[SchemaChange] = ()
    load_ids: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())

    def noteworthy(self) -> list[SchemaChange]:
        """List the changes that ask for a look; a column missing from some file is common in exports."""
        return [change for change in self.changes if change.change is not Change.MISSING]

    def sentence(self) -> str:
        if not self.rows:
            return f"{self.source}: nothing new ({self.seconds:.2f} s)"
        tables = ", ".join(f"{count} {table}" for table, count in sorted(self.rows.items()))
        return f"{self.source}: {tables} ({self.seconds:.2f} s)"


def load(
    source: Source,
    tables: Sequence[str] | None = None,
    configuration: Configuration | None = None,
    *,
    follows_log: bool = True,
) -> LoadReport:
    """Append to raw what is new in these tables (default: all) since this source was last loaded.

    Without `follows_log` the log is somebody else's to land.

    Raises BadFile when a file can't be read, LoadFailed when anything else is in the way; raw is then
    as it was. A load that was cut off is finished first.
    """
    settings = configuration or read_configuration()
    chosen = source.tables if tables is None else tuple(source.table(name) for name in tables)
    with turn(source, settings):
        try:
            return Load(source, chosen, settings, follows_log=follows_log).run()
        except PipelineStepFailed as failure:
            raise cause_of(failure, source) from None  # dlt's own words may quote a row


@contextmanager
def turn(source: Source, configuration: Configuration, patience: float = PATIENCE) -> Iterator[None]:
    """One load of a source at a time; should this process die, the operating system lets go."""
    configuration.pipelines.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    with (configuration.pipelines / f".{source.name}.lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise WarehouseBusy(f"{source.name} is being loaded elsewhere; waited {patience:.0f} s") from None
                time.sleep(PAUSE)
        yield


class Load:
    """One load of one source, from looking for news to the last commit."""

    def __init__(
        self, source: Source, tables: Sequence[Table], configuration: Configuration, *, follows_log: bool = True
    ) -> None:
        self.started = time.monotonic()
        self.source = source
        self.tables = tables
        self.configuration = configuration
        self.log = Log(source, configuration)
        own = origin_of(source, configuration)
        self.origins: tuple[Origin, ...] = (own, self.log) if follows_log else (own,)
        self.pipeline = dlt.pipeline(
            source.name,
            pipelines_dir=str(configuration.pipelines),
            dataset_name=SCHEMA,
            destination=configuration.target,
        )
        self.landing = Landing(source, configuration.clock())

    def run(self) -> LoadReport:
        if self.is_idle() and (seen := look(self.configuration)) and seen == local_value(self.pipeline, LOOK):
            return self.report([])
        with warehouse(self.configuration) as raw:
            self.pipeline, missing = follow(self.pipeline, self.source, raw)
            take_up_positions(self.pipeline, self.source, raw, self.log.later)
            finished = finish_pending(self.pipeline, self.source, raw)
        if missing or not self.is_idle():
            finished += self.deliver(missing)
        self.log.done(self.tables, progress(self.pipeline, self.source))
        self.pipeline.set_local_state_val(LOOK, look(self.configuration))
        return self.report(finished)

    def is_idle(self) -> bool:
        """Nothing to finish and nothing new, as far as can be told without the warehouse."""
        if self.pipeline.has_pending_data:
            return False
        state = progress(self.pipeline, self.source)
        return all(origin.is_idle(self.tables, state) for origin in self.origins)

    def deliver(self, missing: Sequence[str]) -> list[str]:
        """Prepare one load package with the warehouse closed, then open it for the commit only."""
        loader_format = LOADER_FORMAT[self.configuration.target]
        with closing(self.landing):
            self.pipeline.extract(self.package(missing), loader_file_format=loader_format)
        self.pipeline.normalize()
        with warehouse(self.configuration) as raw:
            load_ids = list(self.pipeline.load(destination=raw.destination).loads_ids)
        if load_ids:
            self.pipeline.set_local_state_val(LAST_LOAD, load_ids[-1])
        return load_ids

    def package(self, missing: Sequence[str]) -> Any:
        """Build the dlt source of this run: empty tables first, then rows, then what is to be reported."""
        state = progress(self.pipeline, self.source)
        data = [origin.resource(table, self.landing, state) for origin in self.origins for table in self.tables]
        shapes = dlt.resource(self.shapes(missing), name="shapes")
        reports = dlt.resource(self.reports(), name="reports")
        return dlt.source(lambda: [shapes, *data, reports], name=self.source.name)()

    def shapes(self, missing: Sequence[str]) -> Iterator[Any]:
        """Tables that don't exist yet, empty, so that models can be built before any row arrives."""
        empty = {self.source.raw_name(table): table for table in self.source.tables}
        for name in missing:
            if name in empty:
                yield into(name, self.landing.empty(empty[name]), hints(empty[name]))
        for name, schema in REPORTS.items():
            if name in missing:
                yield into(name, schema.empty_table(), REPORT_HINTS)

    def reports(self) -> Iterator[Any]:
        """Yield what was accepted and what changed, in the same commit as the rows."""
        load_id = dlt.current.load_package_state()["load_id"]
        account, name, at = self.landing.account, self.source.name, self.landing.landed_at
        tables: dict[str, pa.Table] = {
            "loads": loads_table(account, name, load_id, at),
            "schema_changes": changes_table(account, name, at),
        }
        for table, rows in tables.items():
            if rows.num_rows:
                yield into(table, rows, REPORT_HINTS)

    def report(self, load_ids: Sequence[str]) -> LoadReport:
        account = self.landing.account
        return LoadReport(
            source=self.source.name,
            rows=account.rows(),
            files=sorted({file for _, file in account.accepted if file}),
            changes=account.changes(),
            load_ids=tuple(load_ids),
            seconds=time.monotonic() - self.started,
        )


def into(table: str, rows: pa.Table, columns: dict[str, dict[str, Any]]) -> Any:
    """Rows for a table other than their resource's own."""
    return dlt.mark.with_hints(
        rows,
        dlt.mark.make_hints(table_name=table, columns=columns, write_disposition="append"),
        create_table_variant=True,
    )


def cause_of(failure: PipelineStepFailed, source: Source) -> Exception:
    """Return the refusal inside dlt's wrapping, else what failed where, without any content."""
    causes: list[BaseException] = [failure]
    while (cause := causes[-1].__cause__) is not None:
        if isinstance(cause, Refused):
            return cause
        causes.append(cause)
    status = getattr(getattr(causes[-1], "response", None), "status_code", "")
    what = f"{type(causes[-1]).__name__} {status}".strip()
    return LoadFailed(
        f"{source.name}: the step '{failure.step}' failed: {what}. Nothing of it counts in raw; "
        "load again once the reason is gone. RUNTIME__LOG_LEVEL=INFO shows dlt's own log."
    )

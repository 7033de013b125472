"""One run of the whole line through Dagster in this process, and what came of it."""

import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from dagster_cdp.home import make_home


class BadSelection(ValueError):
    """What was asked to run is no Dagster asset selection, or selects nothing."""


@dataclass(frozen=True)
class LineReport:
    """What one run did; rows by relation, seconds by step, changes by sync and operation."""

    run_id: str
    succeeded: bool
    rows: dict[str, int]
    loaded: dict[str, int]
    seconds: dict[str, float]
    changes: dict[str, dict[str, int]]
    failed_checks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # checks that stop nothing
    failures: list[str] = field(default_factory=list)

    @property
    def changes_sent(self) -> int:
        return sum(sum(counts.values()) for counts in self.changes.values())


def run_line(selection: str | None = None) -> LineReport:
    """Materialise everything (or a Dagster asset selection) and report it; never raises for a failed step."""
    from dagster_cdp.definitions import definitions  # noqa: PLC0415 - parses dbt, wanted only when running

    make_home()
    found = definitions()
    line = dg.define_asset_job("the_line", selection=_chosen(selection, found), executor_def=dg.in_process_executor)
    loaded = dg.Definitions.merge(found, dg.Definitions(jobs=[line]))
    with dg.DagsterInstance.get() as instance:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        job = loaded.resolve_job_def("the_line")
        result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
        return _report(result.run_id, result.success, instance.all_logs(result.run_id))


def _chosen(selection: str | None, found: dg.Definitions) -> dg.AssetSelection:
    if selection is None:
        return dg.AssetSelection.all()
    like = "write it like 'group:audiences+' or 'key:\"audiences/vip\"'"
    graph = found.resolve_asset_graph()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of a parameter that dagster passes to itself
        try:
            chosen = dg.AssetSelection.from_string(selection)
        except dg.DagsterError:
            raise BadSelection(f"can't read the selection {selection!r}: {like}") from None
    with suppress(dg.DagsterInvalidSubsetError):
        if chosen.resolve(graph):
            return chosen
    groups = sorted({name for node in graph.asset_nodes if (name := node.group_name)})
    raise BadSelection(f"nothing is selected by {selection!r}: {like}; the groups are {', '.join(groups)}")


def _report(run_id: str, succeeded: bool, entries: Iterable[dg.EventLogEntry]) -> LineReport:
    report = LineReport(run_id, succeeded, {}, {}, {}, {})
    started: dict[str, float] = {}
    for entry in entries:
        event = entry.dagster_event
        if event is None:
            continue
        if event.is_step_start and event.step_key:
            started[event.step_key] = entry.timestamp
        elif (event.is_step_success or event.is_step_failure) and event.step_key:
            report.seconds[event.step_key] = entry.timestamp - started.get(event.step_key, entry.timestamp)
            if event.is_step_failure:
                report.failures.append(_why(event))
        elif event.is_step_materialization:
            _note_materialization(report, event.step_materialization_data.materialization)
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            check: Any = event.event_specific_data
            if not check.passed:
                only_warns = check.severity is dg.AssetCheckSeverity.WARN
                told = report.warnings if only_warns else report.failed_checks
                told.append(f"{check.asset_key.to_user_string()}: {check.check_name}")
    return report


def _why(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    cause = error.cause if error and error.cause else error
    failure = event.step_failure_data.user_failure_data
    text = failure.description if failure and failure.description else (cause.message if cause else "")
    return f"{event.step_key}: {text.strip().splitlines()[0] if text.strip() else 'failed'}"


def _note_materialization(report: LineReport, materialization: dg.AssetMaterialization) -> None:
    name = ".".join(materialization.asset_key.path)
    metadata = {key: value.value for key, value in materialization.metadata.items()}
    if (rows := metadata.get("dagster/row_count")) is not None:
        report.rows[name] = int(str(rows))
    if (landed := metadata.get("rows_loaded")) is not None:
        report.loaded[name] = int(str(landed))
    for key, value in metadata.items():
        if key.startswith("sent_"):
            report.changes.setdefault(name, {})[key.removeprefix("sent_")] = int(str(value))

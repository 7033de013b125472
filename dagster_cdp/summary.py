"""What a person wants to read after a run, and when asking how the line stands."""

from collections import defaultdict
from typing import Any

from rich.console import Console
from rich.table import Table

from dagster_cdp.gates import newest_verdicts
from dagster_cdp.line import LineReport
from dagster_cdp.warehouse import connect

STAGES = ("raw", "staging", "identity", "profiles", "audiences", "activation", "ops")


def print_summary(report: LineReport, seconds: float) -> None:
    """Rows per stage, people, audiences, changes sent, time per stage, and what to do next."""
    console = Console()
    console.print(_stages(report))
    found = read_status()
    console.print(f"People found: {found['people']:,} from {found['identifiers']:,} identifiers")
    console.print(_audiences(found))
    console.print(_deliveries(report))
    loaded = sum(report.loaded.values())
    console.print(f"New rows loaded: {loaded:,}.  Changes sent: {report.changes_sent:,}.  Took {seconds:.0f} s.")
    for check in report.warnings:
        console.print(f"[dim]check warns[/]  {check}")
    for check in report.failed_checks:
        console.print(f"[yellow]check failed[/]  {check}")
    for failure in report.failures:
        console.print(f"[red]failed[/]  {failure}", soft_wrap=True)
    console.print(_next(report))


def _stages(report: LineReport) -> Table:
    table = Table("stage", "tables", "rows", "seconds", title="The line")
    rows: dict[str, list[int]] = defaultdict(list)
    for name, count in report.rows.items():
        rows[name.split(".")[0]].append(count)
    seconds: dict[str, float] = defaultdict(float)
    for step, duration in report.seconds.items():
        seconds[stage_of(step)] += duration
    for stage in STAGES:
        table.add_row(stage, str(len(rows[stage])), f"{sum(rows[stage]):,}", f"{seconds[stage]:.1f}")
    table.add_row("gates", "", "", f"{seconds['gates']:.1f}")
    return table


def stage_of(step: str) -> str:
    """The stage that a Dagster step works for."""
    if step.startswith("load_"):
        return "raw"
    if step == "explain_identity":
        return "identity"
    if step.startswith("gate"):
        return "gates"
    return step if step in STAGES else "activation"


def _audiences(found: dict[str, Any]) -> Table:
    table = Table("audience", "members", title="Audiences")
    for name, members in found["audiences"].items():
        table.add_row(name, f"{members:,}")
    return table


def _deliveries(report: LineReport) -> Table:
    table = Table("sync", "added", "changed", "removed", title="Sent in this run")
    for name, counts in report.changes.items():
        table.add_row(
            name.removeprefix("activation."), *(f"{counts.get(op, 0):,}" for op in ("add", "change", "remove"))
        )
    return table


def _next(report: LineReport) -> str:
    if not report.succeeded:
        return "Next: mend what failed above, then run this again; what was done is not done twice."
    return (
        "Next: `cdp dev` shows the line in the browser, `cdp sync plan cart_abandoners_to_sandbox` what would be "
        "sent,\nand README.md how to add a source, a model, an audience, a sync or a destination."
    )


def read_status() -> dict[str, Any]:
    """People, identifiers, members per audience (0 where nothing is built), last sync runs, red gates."""
    with connect("status") as warehouse:
        built = [
            (str(schema), str(name))
            for schema, name in warehouse.execute(
                "select table_schema, table_name from information_schema.tables order by 1, 2"
            )
        ]

        def count(schema: str, name: str) -> int:
            if (schema, name) not in built:
                return 0
            return int(warehouse.execute(f"select count(*) from {schema}.{name}")[0][0])

        syncs = "select sync_name, state, started_at from activation.sync_runs order by started_at"
        ran = warehouse.execute(syncs) if ("activation", "sync_runs") in built else []
        return {
            "people": count("profiles", "profiles"),
            "identifiers": count("identity", "profile_identifiers"),
            "audiences": {name: count(schema, name) for schema, name in built if schema == "audiences"},
            "syncs": {name: f"{state} {started_at:%Y-%m-%d %H:%M}" for name, state, started_at in ran},
            "red_gates": [table for table, _, is_passed, *_ in newest_verdicts() if not is_passed],
        }


def print_status(found: dict[str, Any]) -> None:
    console = Console()
    console.print(f"People: {found['people']:,} from {found['identifiers']:,} identifiers")
    console.print(_audiences(found))
    for name, last in found["syncs"].items():
        console.print(f"sync {name}: {last}")
    for table in found["red_gates"]:
        console.print(f"[red]gate red[/]  {table}: `cdp gate list` says why")

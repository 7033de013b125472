"""The `cdp` command: each word prints what it did, what it found, and what to do next."""

import json
import os
import sys
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dagster_cdp.identity.commands import identity_app, who
from dagster_cdp.live.commands import live
from dagster_cdp.matching.commands import report, train
from dagster_cdp.quarantine_commands import quarantine_app
from dagster_cdp.serve_commands import profile_key, serve
from dagster_cdp.sync_commands import sync_app
from dagster_cdp.trigger_commands import trigger_app
from reverse_etl.untold import may_quote, without_words

app = typer.Typer(
    help="A customer data platform you own: raw → staging → identity → profiles → audiences → activation.\n\n"
    "Begin with `cdp demo`, then look at the line with `cdp dev`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
gate_app = typer.Typer(help="What the gates decided, and letting a batch through by hand.", no_args_is_help=True)
app.add_typer(sync_app, name="sync")
app.add_typer(trigger_app, name="trigger")
app.add_typer(gate_app, name="gate")
app.add_typer(identity_app, name="identity")
app.add_typer(quarantine_app, name="quarantine")
app.command()(who)
app.command()(live)
app.command()(serve)
app.command("profile-key")(profile_key)
identity_app.command()(train)
identity_app.command()(report)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


@app.command()
def demo(
    households: Annotated[int | None, typer.Option(min=1, help="Take only so many households (all: 2,469).")] = None,
    scale: Annotated[int, typer.Option(min=1, help="Repeat the households so many times.")] = 1,
    rebuild: Annotated[bool, typer.Option(help="Make the demo inbox again, ending yesterday.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Then watch events being answered, in seconds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole line on the demo retailer: real purchases, synthetic identities.

    The first run loads everything; a second one loads nothing new and sends 0 changes. With --live an SDK then sends
    events to a collector, `cdp live` owns the warehouse, and the sandboxes answer: exit code 1 if one doesn't in 60 s.
    """
    if not live:
        raise typer.Exit(0 if _demo(households, scale, rebuild, as_json) else 1)
    from dagster_cdp.live_demo.command import is_built, show  # noqa: PLC0415 - each command imports only what it runs

    ready = (is_built() and not rebuild) or _demo(households, scale, rebuild, as_json=False)
    raise typer.Exit(0 if ready and show(as_json=as_json) else 1)


def _demo(households: int | None, scale: int, rebuild: bool, as_json: bool) -> bool:
    from dagster_cdp.inbox import build_demo, send_part  # noqa: PLC0415 - as above

    began = time.monotonic()
    _say("Building the demo retailer's inbox …", as_json)
    built = build_demo(households=households, scale=scale, rebuild=rebuild)
    _say(f"  {built}", as_json)
    if sent := send_part(built):
        _say(f"  {sent} of its events went through a collector, sent by Segment's SDK", as_json)
    return _run_line(None, began, as_json)


@app.command()
def run(
    select: Annotated[str | None, typer.Option(help="A Dagster asset selection, as `group:audiences+`.")] = None,
    again: Annotated[bool, typer.Option(help="Build every stage, also one that has nothing new to read.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the line (or a part of it) once on the configured sources, without the web page."""
    if again:
        from dagster_cdp.unchanged import forget  # noqa: PLC0415 - opens the warehouse

        forget()
    raise typer.Exit(0 if _run_line(select, time.monotonic(), as_json) else 1)


def _run_line(select: str | None, began: float, as_json: bool) -> bool:
    from dagster_cdp.line import run_line  # noqa: PLC0415 - 6 s of imports
    from dagster_cdp.progress import listening  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    with console.status("Starting Dagster, dbt and dlt …") as status:
        stage_now = ""

        def listen(stage: str, what: str) -> None:
            nonlocal stage_now
            if stage != stage_now:
                console.print(f"  {time.monotonic() - began:6.1f} s  {stage}")
                stage_now = stage
            status.update(f"{stage}: {what}")

        with listening(listen):
            report = run_line(select)
    seconds = time.monotonic() - began
    if as_json:
        print(json.dumps({**asdict(report), "changes_sent": report.changes_sent, "total_seconds": seconds}))
    else:
        from dagster_cdp.summary import print_summary  # noqa: PLC0415 - opens the warehouse

        print_summary(report, seconds)
    return report.succeeded


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dev(context: typer.Context) -> None:
    """Open the line as one asset graph in the browser (`dagster dev` with its home set up)."""
    from dagster_cdp.home import ROOT, make_home  # noqa: PLC0415 - each command imports only what it runs

    os.chdir(make_home())  # in the project's folder dagster would read `.env` and forget DAGSTER_HOME
    arguments = ["-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml"), *context.args]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - this command becomes dagster


@app.command()
def status(as_json: AsJson = False) -> None:
    """Rows per stage, the last delivery of each sync, and gates that are red."""
    from dagster_cdp.summary import print_status, read_status  # noqa: PLC0415 - opens the warehouse

    found = read_status()
    print(json.dumps(found, default=str)) if as_json else print_status(found)


@app.command()
def collect(
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8097,
    workers: Annotated[int, typer.Option(min=1, help="So many processes, one per core to spare.")] = 1,
) -> None:
    """Take events from Segment-compatible SDKs, pages and webhooks; 200 means they are on disk. Stops with Ctrl+C."""
    from sources.collector.workers import collect as serve  # noqa: PLC0415 - each command imports only what it runs
    from sources.configuration import read_configuration  # noqa: PLC0415 - as above

    configuration = read_configuration()
    where = f"Events are taken at http://{host}:{port}, their write keys are in {configuration.collector}"
    serve(configuration, host, port, workers, begins=lambda: _say(where, quiet=False))


@gate_app.command("list")
def gate_list(as_json: AsJson = False) -> None:
    """The newest verdict on each table."""
    from dagster_cdp.gates import newest_verdicts  # noqa: PLC0415 - opens the warehouse

    columns, verdicts = ("table", "batch", "passed", "failed expectations", "checked at"), newest_verdicts()
    if as_json:
        named = [name.replace(" ", "_") for name in columns]
        print(json.dumps([dict(zip(named, verdict, strict=True)) for verdict in verdicts], default=str))
        return
    table = Table(*columns)
    for verdict in verdicts:
        table.add_row(*(str(value) for value in verdict))
    Console().print(table)


@gate_app.command("accept")
def gate_accept(
    table: str,
    by: Annotated[str, typer.Option(help="Who takes responsibility.")],
    reason: Annotated[str, typer.Option(help="Why the batch may pass.")],
) -> None:
    """Let the batch that a gate refused pass, on record."""
    from dagster_cdp.gates import accept_newest  # noqa: PLC0415 - opens the warehouse

    print(accept_newest(table, by=by, reason=reason))


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        Console(stderr=True).print(text)


def main() -> None:
    """Run the command; an error of the project is one line that says what to do, not a trace."""
    try:
        app()
    except Exception as error:
        ours = _written_for_people(error)
        if ours is None and not may_quote(error):
            raise
        said = f"cdp: {without_words(error) if ours is None else ours}"
        Console(stderr=True).print(said, style="red", markup=False, soft_wrap=True)
        sys.exit(1 if ours is None else 2)


def _written_for_people(error: BaseException | None) -> str | None:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    while error is not None:
        if type(error).__module__.split(".")[0] in {"dagster_cdp", "reverse_etl", "sources"}:
            return str(error)
        error = error.__cause__ or error.__context__
    return None


if __name__ == "__main__":
    main()

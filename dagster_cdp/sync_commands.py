"""`cdp sync …`: deliver audiences to tools, look before you do, and see what became of it."""

import os
import subprocess
import sys
from typing import Annotated

import typer

sync_app = typer.Typer(help="Deliver audiences to tools, and look before you do.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Approve = Annotated[bool, typer.Option("--approve", help="Lift the guards that hold, for this run.")]
Gate = Annotated[str, typer.Option(help="required, or ignored: send although no quality verdict is passed.")]


@sync_app.command("list")
def sync_list(as_json: AsJson = False) -> None:
    """Every sync, its audience, destination, purpose and channel."""
    _activation("list", json=as_json)


@sync_app.command("plan")
def sync_plan(
    name: str,
    resync: Annotated[bool, typer.Option("--resync", help="Plan a full re-send.")] = False,
    gate: Gate = "required",
    as_json: AsJson = False,
) -> None:
    """What a run would add, change and remove, what it would cost, and what would hold it; sends nothing."""
    _activation("plan", name, "--gate", gate, *(("--resync",) if resync else ()), json=as_json)


@sync_app.command("run")
def sync_run(
    name: Annotated[str, typer.Argument(help="A sync as `list` shows it, or `all`.")],
    approve: Approve = False,
    gate: Gate = "required",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for another run of it to finish.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Deliver one audience now, or all, each after those it names in `after`."""
    lift = ("--approve",) if approve else ()
    _activation("run", name, "--gate", gate, "--wait", str(wait), *lift, json=as_json)


@sync_app.command("status")
def sync_status(name: Annotated[str | None, typer.Argument()] = None, as_json: AsJson = False) -> None:
    """How syncs stand: the last run, members, unanswered, rejected, paused accounts, and who must act."""
    _activation("status", *((name,) if name else ()), json=as_json)


@sync_app.command("approve")
def sync_approve(
    name: str,
    by: Annotated[str | None, typer.Option(help="Whose word it is (default: the user).")] = None,
    as_json: AsJson = False,
) -> None:
    """Let the plan that a guard held pass, once, and only that plan."""
    _activation("approve", name, *(("--by", by) if by else ()), json=as_json)


@sync_app.command("retry-rejected")
def sync_retry(name: str, gate: Gate = "required", as_json: AsJson = False) -> None:
    """Send again what the destination rejected, though it has not changed since."""
    _activation("retry-rejected", name, "--gate", gate, json=as_json)


@sync_app.command("resync")
def sync_resync(name: str, approve: Approve = False, gate: Gate = "required", as_json: AsJson = False) -> None:
    """Send everybody again; who left, or took back their consent, is removed all the same."""
    _activation("resync", name, "--gate", gate, *(("--approve",) if approve else ()), json=as_json)


@sync_app.command("log")
def sync_log(
    name: str, limit: Annotated[int, typer.Option(min=1, help="So many runs.")] = 10, as_json: AsJson = False
) -> None:
    """The last runs, and what is rejected now and why."""
    _activation("log", name, "--limit", str(limit), json=as_json)


@sync_app.command("drift")
def sync_drift(name: str, as_json: AsJson = False) -> None:
    """Compare with who is at the destination, where it tells."""
    _activation("drift", name, json=as_json)


def _activation(*arguments: str, json: bool) -> None:
    """`python -m reverse_etl …`: the sync engine runs without Dagster."""
    command = [sys.executable, "-m", "reverse_etl", *arguments, *(("--json",) if json else ())]
    named = {**os.environ, "CDP_COMMAND": "cdp sync"}  # what it says to do next
    raise typer.Exit(subprocess.run(command, check=False, env=named).returncode)  # noqa: S603 - our own command

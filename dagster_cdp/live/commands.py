"""`cdp live`: own the warehouse and keep it within seconds of the log; or look at who does."""

import json
from typing import Annotated

import typer
from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def live(
    *,
    status: Annotated[bool, typer.Option("--status", help="Show the running owner and how far behind it is.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Let the running owner land nothing until resumed.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Let it go on.")] = False,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="Let it publish a copy for analysts now.")] = False,
    snapshot_every: Annotated[
        float, typer.Option(min=0, help="Minutes between two copies for analysts; 0: never.")
    ] = 15,
    as_json: AsJson = False,
) -> None:
    """Own the warehouse file: land the log as it grows and bring every hot model up to it, in seconds.

    Other commands and Dagster go on as usual; they reach the warehouse through this process.
    """
    from dagster_cdp.warehouse import ask_owner  # noqa: PLC0415 - each command imports only what it runs

    for wanted, word in ((pause, "pause"), (resume, "resume"), (snapshot, "snapshot")):
        if wanted:
            answer = ask_owner(word)
            Console(stderr=True).print(answer or f"{word}d")
    if status:
        show(ask_owner("status"), as_json=as_json)
    if not (status or pause or resume or snapshot):
        own_until_stopped(snapshot_every * 60)


def show(found: dict[str, object], *, as_json: bool) -> None:
    """Print what the owner says of itself."""
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        Console().print(f"{name.replace('_', ' '):<20} {value}", highlight=False)


def own_until_stopped(snapshot_every: float) -> None:
    from dagster_cdp.live.owner import Owner  # noqa: PLC0415 - dbt, dlt and more: seconds of imports

    console = Console(stderr=True)
    console.print("Opening the warehouse and compiling the hot models …")
    ready = "Live. Ctrl-C ends it; `cdp live --status` shows it."
    Owner(lambda: console.print(ready, highlight=False), snapshot_every).run()

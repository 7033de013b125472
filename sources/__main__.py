"""Load sources into raw from a shell, without any orchestrator."""

import sys
from typing import Annotated

import typer

from sources.configuration import read_configuration
from sources.refusals import Refused
from sources.source import all_sources, load_source

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("list")
def list_sources() -> None:
    """Show every source, its tables, owner and refresh (cron, UTC)."""
    for source in all_sources():
        tables = ", ".join(table.name for table in source.tables)
        typer.echo(f"{source.name:18} {source.refresh:14} {source.owner:28} {tables}")


@app.command("load")
def load_sources(
    names: Annotated[list[str] | None, typer.Argument(help="Sources to load; all of them if none is named.")] = None,
) -> None:
    """Append what is new to raw; loading again loads nothing again.

    Files are looked for in <CDP_INBOX>/<source>/<table>/ (csv, jsonl, parquet, also .gz) and land in
    raw.<source>__<table> of CDP_WAREHOUSE. A file that can't be read stops its source, which leaves raw
    as it was, and no other; the exit code is then 1.

    Try: python -m sources load web_orders crm
    """
    from sources.pipeline import load  # noqa: PLC0415 - dlt takes a second, --help shouldn't

    refused = 0
    for name in names or [source.name for source in all_sources()]:
        try:
            report = load(load_source(name))
        except Refused as refusal:
            typer.echo(f"{name}: {refusal}", err=True)
            refused += 1
            continue
        typer.echo(report.sentence())
        for change in report.noteworthy():
            typer.echo(f"  {change.sentence()}")
    if refused:
        raise typer.Exit(1)
    typer.echo(f"raw is up to date in {read_configuration().place()}. Next: dbt build, or `cdp status`.")


if __name__ == "__main__":
    sys.exit(app())

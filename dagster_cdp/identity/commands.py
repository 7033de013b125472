"""`cdp who` and `cdp identity …`: who somebody is, why, and what a person decides about it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

identity_app = typer.Typer(
    help="Question who is one person: bridges, the review queue, decisions, and rules tried before they land.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
InClear = Annotated[bool, typer.Option("--show", help="Show values in clear; else they are masked.")]


def who(  # noqa: PLR0917 - typer's options are no positions
    asked: Annotated[str, typer.Argument(metavar="WHO", help="An e-mail, phone, hash, any identifier or profile id.")],
    other: Annotated[str | None, typer.Argument(help="A second one: only the chain to it, or why not.")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="The identifier type, when several have the value.")
    ] = None,
    at: Annotated[datetime | None, typer.Option(help="Say which profile it was in at this moment (UTC).")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with a picture to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the picture to this file.")] = None,
    in_clear: InClear = False,
    as_json: AsJson = False,
) -> None:
    """Who somebody is, and the chain of evidence that says so, down to the record."""
    from dagster_cdp.identity import asking, document, drawing, page, telling  # noqa: PLC0415 - numpy, the warehouse

    answer = asking.ask(asked, other, kind, _utc(at))
    if isinstance(answer, asking.Apart):
        said = document.parted(answer, in_clear=in_clear)
        _print_json(said) if as_json else telling.tell_apart(said, Console())
        raise typer.Exit(0)
    said = document.explained(answer, in_clear=in_clear)
    _print_json(said) if as_json else telling.tell(said, Console())
    for file, draw in ((svg, drawing.draw_svg), (html, page.draw_page)):
        if file:
            file.write_text(draw(answer, in_clear=in_clear), encoding="utf-8")
            Console(stderr=True).print(f"wrote {file}", highlight=False)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment and moment.tzinfo else moment


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, default=str, ensure_ascii=False))

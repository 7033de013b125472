"""`cdp who` and `cdp identity …`: who somebody is, why, and what a person decides about it."""

import json
from dataclasses import asdict
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


@identity_app.command()
def bridges(
    larger_than: Annotated[int, typer.Option(min=0, help="Only profiles of more identifiers than this.")] = 10,
    limit: Annotated[int, typer.Option(min=1, help="So many profiles that hang by one, the largest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Large profiles and the single ties they hang by: where one record may hold two people together."""
    from dagster_cdp.identity import bridging, listing  # noqa: PLC0415 - opens the warehouse
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - as above

    with connect("bridges") as warehouse:
        found = listing.bridges(bridging.that_hang(warehouse, larger_than, limit))
    _print_json(found) if as_json else listing.print_bridges(found, Console())


@identity_app.command()
def review(
    limit: Annotated[int, typer.Option(min=1, help="So many of each kind.")] = 10,
    in_clear: InClear = False,
    as_json: AsJson = False,
) -> None:
    """What a person should decide, the most pressing first; `decide` settles an item by its id."""
    from dagster_cdp.identity import deciding, listing  # noqa: PLC0415 - opens the warehouse
    from dagster_cdp.identity.review import count_open  # noqa: PLC0415 - as above
    from dagster_cdp.identity.review import review as ask  # noqa: PLC0415 - as above
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - as above

    with connect("review") as warehouse:
        decided = deciding.active_pairs()
        found = listing.items(ask(warehouse, limit, decided), in_clear=in_clear)
        waiting = {} if as_json else count_open(warehouse, decided)
    _print_json(found) if as_json else listing.print_items(found, waiting, Console())


Owner = Annotated[str, typer.Option(help="Who stands for it.")]
Reason = Annotated[str, typer.Option(help="Why, in one line without personal data: it is committed.")]
Expires = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on it counts no more.")]
Rebuild = Annotated[bool, typer.Option(help="Build what follows from it now and show what changed; sends nothing.")]


@identity_app.command()
def decide(  # noqa: PLR0917 - as above
    item_id: Annotated[str, typer.Argument(help="As `cdp identity review` shows it.")],
    verdict: Annotated[str, typer.Argument(metavar="must-link|cannot-link")],
    owner: Owner,
    reason: Reason,
    expires: Expires = None,
    rebuild: Rebuild = False,
) -> None:
    """Settle an item of the review queue: the two are one person, or are not."""
    from dagster_cdp.identity import deciding, listing  # noqa: PLC0415 - opens the warehouse

    if verdict not in {"must-link", "cannot-link"}:
        raise typer.BadParameter("must-link or cannot-link", param_hint="verdict")
    kind: Any = verdict.replace("-", "_")
    answer = deciding.Verdict(kind, owner, reason, expires.date() if expires else None)
    _apply(deciding.decide_item(item_id, answer), listing.print_decided, rebuild=rebuild)


@identity_app.command()
def link(
    identifiers: Annotated[list[str], typer.Argument(help="Two or more: the first is linked with each other one.")],
    owner: Owner,
    reason: Reason,
    expires: Expires = None,
    rebuild: Rebuild = False,
) -> None:
    """These identifiers are one person, whatever the evidence."""
    if len(identifiers) < 2:  # noqa: PLR2004 - a link has two ends
        raise typer.BadParameter("name two identifiers or more", param_hint="identifiers")
    _decide(identifiers, "must_link", owner, reason, expires, rebuild=rebuild)


@identity_app.command()
def split(  # noqa: PLR0917 - as above
    one: Annotated[str, typer.Argument(help="An identifier, as `cdp who` finds it.")],
    other: Annotated[str, typer.Argument(help="The one it must not be one person with.")],
    owner: Owner,
    reason: Reason,
    expires: Expires = None,
    rebuild: Rebuild = False,
) -> None:
    """These two identifiers are not one person, whatever the evidence."""
    _decide([one, other], "cannot_link", owner, reason, expires, rebuild=rebuild)


def _decide(asked: list[str], kind: Any, owner: str, reason: str, expires: datetime | None, *, rebuild: bool) -> None:
    from dagster_cdp.identity import deciding, listing  # noqa: PLC0415 - opens the warehouse

    answer = deciding.Verdict(kind, owner, reason, expires.date() if expires else None)
    _apply(deciding.decide_between(asked, answer), listing.print_decided, rebuild=rebuild)


@identity_app.command()
def withdraw(
    decision_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `cdp identity decisions` shows them.")],
    rebuild: Rebuild = False,
) -> None:
    """End decisions today: their rows stay with this day as their last, and evidence counts again."""
    from dagster_cdp.identity import deciding, listing  # noqa: PLC0415 - imports the warehouse

    _apply(deciding.withdraw(decision_ids), listing.print_withdrawn, rebuild=rebuild)


def _apply(decided: Any, tell: Any, *, rebuild: bool) -> None:
    from dagster_cdp.identity import listing, rebuilding  # noqa: PLC0415 - as above

    tell(decided, Console(), is_built=rebuild)
    if rebuild:
        listing.print_parting(rebuilding.rebuild(decided.nodes), Console())


@identity_app.command("decisions")
def list_decisions(as_json: AsJson = False) -> None:
    """Every decision, who stands for it, and whether it is in force."""
    from dagster_cdp.identity import deciding, listing  # noqa: PLC0415 - reads the warehouse for labels

    found = listing.decisions(deciding.labelled_decisions(), deciding.today())
    _print_json(found) if as_json else listing.print_decisions(found, Console())


@identity_app.command("what-if")
def what_if(
    rules: Annotated[Path, typer.Option(help="The proposed identifier_rules.csv.")],
    as_json: AsJson = False,
) -> None:
    """Who would merge and split under other rules, and which audiences and consents would follow; changes nothing.

    Bring the line up to date with `cdp run` before, so that every difference comes from the rules.
    """
    from dagster_cdp.identity import trial_report, what_if  # noqa: PLC0415 - imports dbt, 3 s

    found = what_if.what_if(rules)
    _print_json(asdict(found)) if as_json else trial_report.print_consequences(found, Console())

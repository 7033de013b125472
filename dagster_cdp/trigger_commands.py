"""`cdp trigger …`: who would be told what, why the others aren't, and telling them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from reverse_etl.environment import now
from reverse_etl.triggers.trigger import Trigger, all_triggers, find_trigger
from reverse_etl.warehouse import Warehouse

trigger_app = typer.Typer(
    help="Answer what people do: event → wait → look again → a message, once per person and reason.\n\n"
    "A trigger is a file reverse_etl/triggers/<name>.yml. Before anything is sent it is asked again whether the "
    "person has bought meanwhile, consents, was told enough lately, or is asleep.\n\n"
    "Begin with `cdp trigger plan NAME`: it sends nothing and says in counts who would be told, and why the others "
    "wouldn't.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
OneTrigger = Annotated[str, typer.Argument(metavar="NAME", help="A trigger, as `cdp trigger list` shows it.")]
_OUT = Console(soft_wrap=True, highlight=False, markup=False)


@trigger_app.command("list")
def trigger_list(as_json: AsJson = False) -> None:
    """Every trigger: what it answers, after how long, for which purpose, and through which channels."""
    found = all_triggers()
    _say([one.model_dump(mode="json", by_alias=True) for one in found], "\n".join(map(_line, found)), as_json)


@trigger_app.command("plan")
def trigger_plan(name: OneTrigger, as_json: AsJson = False) -> None:
    """What a cycle would send now, and why everybody else hears nothing; sends and keeps nothing.

    Counts, never people. `kept back` are messages that a template field without value and fallback holds; `fallbacks`
    leave without that value.
    """
    from reverse_etl.triggers.preview import preview  # noqa: PLC0415 - opens the warehouse

    find_trigger(name)
    with _opened(f"trigger plan {name}") as warehouse:
        [found] = [one for one in preview(warehouse, all_triggers(), now()) if one.trigger == name]
    _say(found.as_dict(), _planned(found), as_json)


@trigger_app.command("run")
def trigger_run(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One trigger (default: all).")] = "",
    as_json: AsJson = False,
) -> None:
    """One cycle now: open, decide, send. Where `cdp live` runs this happens by itself, in seconds.

    Exit code 1: something couldn't be sent, and is named; it waits, and the next cycle tries again.
    """
    from reverse_etl.triggers.cycle import run_cycle  # noqa: PLC0415 - opens the warehouse

    triggers = [find_trigger(name)] if name else all_triggers()
    with _opened(f"trigger run {name}") as warehouse:
        cycle = run_cycle(lambda: _Borrowed(warehouse), triggers, now)
    document = {
        "decided": {one: dict(counts) for one, counts in cycle.decisions.counts.items()},
        "messages": {one: dict(counts) for one, counts in cycle.dispatched.counts.items()},
        "refused": cycle.dispatched.refused,
        "is_busy": cycle.dispatched.is_busy,
    }
    _say(document, _ran(document, triggers), as_json)
    if cycle.dispatched.refused or cycle.dispatched.is_busy:
        raise typer.Exit(1)


@trigger_app.command("log")
def trigger_log(
    name: OneTrigger,
    days: Annotated[int, typer.Option(help="So many days back.", min=1)] = 7,
    as_json: AsJson = False,
) -> None:
    """What was decided, sent and scrapped lately, and how long it took from due to acknowledged."""
    from reverse_etl.triggers.history import history  # noqa: PLC0415 - opens the warehouse
    from reverse_etl.triggers.tables import open_tables  # noqa: PLC0415 - as above

    find_trigger(name)
    with _opened(f"trigger log {name}") as warehouse:
        open_tables(warehouse)
        found = history(warehouse, name, now(), days)
    _say(found.as_dict(), _logged(found), as_json)


class _Borrowed:
    """The open warehouse for who closes theirs."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def close(self) -> None:
        """Leave it open."""


@contextmanager
def _opened(purpose: str) -> Iterator[Any]:
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - each command imports only what it runs

    with connect(purpose) as warehouse:
        yield warehouse


def _line(trigger: Trigger) -> str:
    from reverse_etl.triggers.duration import in_words  # noqa: PLC0415 - as above

    when = trigger.when
    what = f"event {when.event}" if when.event else f"{'leaves' if when.leaves else 'enters'} {when.audience}"
    what = f"row of {when.rows}" if when.rows else what
    ways = ", ".join(f"{channel} by {way.destination}" for channel, way in trigger.send.items())
    if step := trigger.list:
        ways = f"{'put on' if step.add else 'taken off'} {step.name} at {step.destination}"
    state = "" if trigger.enabled else " (disabled)"
    return (
        f"{trigger.name:<22}{state} {what}, after {in_words(trigger.wait)}, "
        f"for {' and '.join(trigger.purposes)}: {ways}\n"
        f"    {trigger.description} {trigger.owner}"
    )


def _planned(found: Any) -> str:
    from reverse_etl.triggers.verdict import REASONS  # noqa: PLC0415 - as above

    lines = [f"{found.trigger}: {found.new} new since the last look, {found.waiting} not due yet"]
    lines += [f"  would leave by {channel}: {count}" for channel, count in found.leaving.items()]
    if not found.leaving:
        lines.append("  nobody would be told now")
    lines += [
        f"  not told: {count} × {REASONS.get(reason, reason)} ({reason})" for reason, count in _most(found.not_told)
    ]
    lines += [f"  kept back: {count} × {reason}" for reason, count in _most(found.kept_back)]
    lines += [f"  with a fallback: {count} × {reason}" for reason, count in _most(found.fallbacks)]
    return "\n".join([*lines, f"  next: cdp trigger run {found.trigger}"])


def _ran(document: dict[str, Any], triggers: list[Trigger]) -> str:
    lines = []
    for trigger in triggers:
        decided, messages = (_words(document[part].get(trigger.name, {})) for part in ("decided", "messages"))
        lines.append(f"{trigger.name}: decided {decided or 'nothing'}; messages {messages or 'none'}")
    lines += [f"  {where} waits: {why}" for where, why in document["refused"].items()]
    if document["is_busy"]:
        lines.append("  another process is sending: its turn")
    return "\n".join(lines)


def _logged(found: Any) -> str:
    lines = [f"{found.trigger} since {found.since:%Y-%m-%d %H:%M} UTC: {found.waiting} waiting"]
    lines += [f"  decided: {count} × {outcome}" for outcome, count in found.decided.items()]
    lines += [
        f"  {channel}: {count} × {state}{f' ({code})' if code else ''}"
        for channel, state, code, count in found.messages
    ]
    lines += [f"  scrap: {count} × {field} {reason}" for field, reason, count in found.scrap]
    if found.seconds_to_acknowledged:
        marks = ", ".join(f"{name} {value:.1f} s" for name, value in found.seconds_to_acknowledged.items())
        lines.append(f"  from due to acknowledged: {marks}")
    return "\n".join(lines)


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in _most(counts) if count)


def _most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _say(document: object, words: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document, default=str))  # noqa: T201 - for machines, without rich's wrapping
    else:
        _OUT.print(words)

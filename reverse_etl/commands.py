"""What each word of the command does: (exit code, words for people, a document for machines)."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from reverse_etl import history
from reverse_etl.approval import approve
from reverse_etl.desired import PlanRefused
from reverse_etl.destination import DestinationRefused, NoAnswer, NotSent, load_destination
from reverse_etl.drift import drift
from reverse_etl.environment import command
from reverse_etl.journal import open_journal
from reverse_etl.ladder import run_in_turn
from reverse_etl.lease import LeaseLost, SyncBusy
from reverse_etl.run import Kind, SyncHeld, previewing
from reverse_etl.run_log import SyncReport
from reverse_etl.sync import BadDeclaration, all_syncs, find_sync, in_order
from reverse_etl.warehouse import Warehouse, WarehouseUnavailable, open_warehouse

Answer = tuple[int, str, Any]
# What an error means to whoever called; each says in one line what to do.
CODES: dict[type[Exception], int] = {
    SyncHeld: 3,
    BadDeclaration: 2,
    PlanRefused: 2,
    WarehouseUnavailable: 4,
    DestinationRefused: 4,
    SyncBusy: 4,
    LeaseLost: 4,
    NotSent: 4,
    NoAnswer: 4,
}


def failed(error: Exception) -> Answer:
    """Answer with an error of `CODES`."""
    code = next(code for kind, code in CODES.items() if isinstance(error, kind))
    if isinstance(error, SyncHeld):
        return code, "\n".join([str(error), *_sent(error.report)]), error.report.as_dict()
    words = f"the destination does not answer ({error})" if isinstance(error, NotSent | NoAnswer) else str(error)
    return code, words, {"error": words}


@contextmanager
def _opened() -> Iterator[Warehouse]:
    warehouse = open_warehouse()
    try:
        yield warehouse
    finally:
        warehouse.close()


def show_list(_: argparse.Namespace) -> Answer:
    syncs = all_syncs()
    uses = {sync.name: f"{'+'.join(sync.purposes)}/{sync.channel}" for sync in syncs}
    lines = [f"{sync.name:<44} {uses[sync.name]:<24} {sync.mode}" for sync in syncs]
    document = [{"name": sync.name, **sync.model_dump(mode="json")} for sync in syncs]
    empty = "no syncs yet: add reverse_etl/syncs/<audience>_to_<destination>.yml"
    return 0, "\n".join(lines) or empty, document


def show_plan(asked: argparse.Namespace) -> Answer:
    sync = find_sync(asked.name)
    spec = load_destination(sync).spec
    kind: Kind = "resync" if asked.resync else "run"
    with _opened() as warehouse, previewing(warehouse, sync, gate=asked.gate, kind=kind) as found:
        planned, verdict, run_id = found
        keys = history.sample(warehouse, run_id)
    use = f"{'+'.join(sync.purposes)}/{sync.channel}"
    cost, held = round(planned.size * spec.cost_per_row, 2), verdict.held
    lines = [
        f"{sync.name}: add {planned.add}, change {planned.change}, remove {planned.remove}",
        f"  audience: {planned.audience}, of them {planned.unconsented} without consent to {use}",
        f"  unreachable: {planned.unidentified}, unsure who: {planned.unsure}, doubles: {planned.duplicate}",
        f"  excluded: {planned.excluded}, held out: {planned.held_out}",
        f"  members: {planned.desired} wanted, {planned.held} there now or possibly",
        *([f"  released: {planned.released}, others have their identifiers"] if planned.released else []),
        f"  cost: {cost:,.2f}",
        *(f"  {operation}: {', '.join(some)}" for operation, some in keys.items()),
        *(f"  warning: {words}" for words in verdict.warnings),
        *([] if held or verdict.warnings else ["  guards: none trips"]),
        f"  would be {verdict.state}: {held}" if held else f"  next: {command()} run {sync.name}",
    ]
    document = {"sync": sync.name, **asdict(planned), "held_because": held, "cost": cost, "sample": keys}
    return (3 if held else 0), "\n".join(lines), {**document, "warnings": verdict.warnings}


def run(asked: argparse.Namespace) -> Answer:
    return _run_all(asked) if asked.name == "all" else _run(asked, "run", approve=asked.approve, wait=asked.wait)


def _run_all(asked: argparse.Namespace) -> Answer:
    """Run each sync after those it names in `after`; what follows one that didn't get through is left out."""
    codes: dict[str, int] = {}
    words, documents = [], []
    for sync in in_order(all_syncs()):
        if stopped := [name for name in sync.after if codes[name] > 1]:
            code, said, document = 4, f"{sync.name}: not run, it comes after {', '.join(stopped)}", {"sync": sync.name}
        else:
            one = argparse.Namespace(**{**vars(asked), "name": sync.name})
            try:
                code, said, document = _run(one, "run", approve=asked.approve, wait=asked.wait)
            except tuple(CODES) as error:
                code, said, document = failed(error)
        codes[sync.name] = code
        words.append(said)
        documents.append(document)
    return max(codes.values(), default=0), "\n".join(words), documents


def resync(asked: argparse.Namespace) -> Answer:
    return _run(asked, "resync", approve=asked.approve)


def retry_rejected(asked: argparse.Namespace) -> Answer:
    return _run(asked, "retry-rejected")


def _run(asked: argparse.Namespace, kind: Kind, *, approve: bool = False, wait: float = 0) -> Answer:
    sync = find_sync(asked.name)
    with _opened() as warehouse:
        report = run_in_turn(warehouse, sync, gate=asked.gate, approve=approve, wait_seconds=wait, kind=kind)
    return (0 if report.state == "succeeded" else 1), told(report), report.as_dict()


def show_status(asked: argparse.Namespace) -> Answer:
    syncs = [find_sync(asked.name)] if asked.name else all_syncs()
    with _opened() as warehouse:
        found = [history.standing(warehouse, sync) for sync in syncs]
    lines = []
    for one in found:
        at = f"{one.ran_at:%Y-%m-%d %H:%M}" if one.ran_at else ""
        lines.append(
            f"{one.sync:<44} {one.state:<10} {at:<16} {one.members:>8} members, {one.unknown} unanswered, "
            f"{one.rejected} rejected" + (f", paused: {one.paused}" if one.paused else "")
        )
        if one.state in {"held", "blocked", "failed"}:
            lines.append(f"  {one.reason}; {one.owner} must act")
    return 0, "\n".join(lines), [one.as_dict() for one in found]


def give_approval(asked: argparse.Namespace) -> Answer:
    sync = find_sync(asked.name)
    with _opened() as warehouse:
        open_journal(warehouse)
        words = approve(warehouse, sync, asked.by or "")
    return 0, f"{words}\n  next: {command()} run {sync.name}", {"approved": words}


def show_log(asked: argparse.Namespace) -> Answer:
    sync = find_sync(asked.name)
    with _opened() as warehouse:
        open_journal(warehouse)
        runs = history.runs(warehouse, sync.name, asked.limit)
        letters = history.letters(warehouse, sync.name)
    lines = [_line(one) for one in runs] or [f"{sync.name} never ran"]
    lines += [f"  rejected now: {count} × {operation} {code}" for operation, code, count in letters]
    return 0, "\n".join(lines), {"runs": runs, "dead_letters": letters}


def _line(one: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{operation} {one[f'succeeded_{operation}'] or 0}/{one[f'planned_{operation}'] or 0}"
        for operation in history.OPERATIONS
    )
    reason = f": {one['reason'].partition('; if that is right')[0]}" if one["reason"] else ""
    return f"{one['started_at']:%Y-%m-%d %H:%M:%S} {one['kind'] or 'run':<14} {one['state']:<9} {counts}{reason}"


def show_drift(asked: argparse.Namespace) -> Answer:
    sync = find_sync(asked.name)
    with _opened() as warehouse:
        open_journal(warehouse)
        found = drift(warehouse, sync, load_destination(sync))
    words = str(found)
    if found.differs:
        words += f"\n  next: {command()} resync {sync.name}"
    return (1 if found.differs else 0), words, found.as_dict()


def told(report: SyncReport) -> str:
    """Put the report in words."""
    lines = [f"{report.sync}: {report.state} in {report.seconds:.1f} s, {report.requests} requests"]
    lines += _sent(report)
    if not report.plan.size:
        lines.append("  nothing to send: the destination is as the audience")
    if report.reasons:
        lines.append("  reasons: " + ", ".join(f"{count} {code}" for code, count in report.reasons.items()))
    lines += [f"  warning: {words}" for words in report.warnings]
    if report.approved_by:
        lines.append(f"  approved by {report.approved_by}")
    if report.duplicates_possible:
        lines.append("  duplicates possible: an unanswered request was repeated to a destination without keys")
    if report.state == "partial":
        lines.append(f"  details: select * from activation.attempts where run_id = '{report.run_id}'")
    return "\n".join(lines)


def _sent(report: SyncReport) -> list[str]:
    return [
        f"  {operation}: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}"
        for operation, outcomes in report.outcomes.items()
    ]


COMMANDS: dict[str, Callable[[argparse.Namespace], Answer]] = {
    "list": show_list,
    "plan": show_plan,
    "run": run,
    "status": show_status,
    "approve": give_approval,
    "retry-rejected": retry_rejected,
    "resync": resync,
    "log": show_log,
    "drift": show_drift,
}

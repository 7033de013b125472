"""`python -m reverse_etl list | plan NAME | run NAME`: activation without a scheduler."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reverse_etl.desired import PlanRefused
from reverse_etl.destination import DestinationRefused
from reverse_etl.lease import LeaseLost, SyncBusy
from reverse_etl.run import SyncHeld, preview, run_sync
from reverse_etl.run_log import SyncReport
from reverse_etl.sync import BadDeclaration, all_syncs, find_sync
from reverse_etl.warehouse import WarehouseUnavailable, open_warehouse

HELP = """\
Bring audiences of the warehouse to the tools that use them.

A sync is a file reverse_etl/syncs/<audience>_to_<destination>.yml. A run sends the difference between the
audience (with consent) and what the journal says was delivered: additions, changes and removals.

  python -m reverse_etl list                      which syncs there are, and what they may be used for
  python -m reverse_etl plan vip_to_sandbox       what a run would send; sends nothing
  python -m reverse_etl run vip_to_sandbox        send it
  python -m reverse_etl.sandbox                   look at what the sandbox received

exit codes: 0 all is delivered; 1 some changes were not accepted or not answered (the next run settles them);
2 a declaration, audience or argument is wrong; 3 held by a guard or a gate: a person decides;
4 the warehouse, the destination or the sync's lease is not available: try again
"""


def parser() -> argparse.ArgumentParser:
    """Build the arguments, with the help that teaches them."""
    top = argparse.ArgumentParser(
        prog="python -m reverse_etl", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="list|plan|run")
    machine = argparse.ArgumentParser(add_help=False)
    machine.add_argument("--json", action="store_true", help="print one JSON document, for machines")
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("name", metavar="NAME", help="a sync, as `list` shows it")
    named.add_argument(
        "--gate",
        choices=("required", "ignored"),
        default="required",
        help="whether the audience's newest quality verdict must be passed (default: required)",
    )
    commands.add_parser("list", parents=[machine], help="show the syncs")
    commands.add_parser("plan", parents=[machine, named], help="show what a run would send, and send nothing")
    run = commands.add_parser("run", parents=[machine, named], help="send the difference")
    run.add_argument("--approve", action="store_true", help="let this run remove many members")
    run.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for another run to finish")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    asked = parser().parse_args(arguments)
    try:
        code, words, document = {"list": _list, "plan": _plan, "run": _run}[asked.command](asked)
    except SyncHeld as held:
        code, words, document = 3, str(held), held.report.as_dict()
    except (BadDeclaration, PlanRefused) as error:
        code, words, document = 2, str(error), {"error": str(error)}
    except (WarehouseUnavailable, DestinationRefused, SyncBusy, LeaseLost) as error:
        code, words, document = 4, str(error), {"error": str(error)}
    _say(json.dumps(document, default=str) if asked.json else words, to_error=code > 1 and not asked.json)
    return code


def _list(_: argparse.Namespace) -> tuple[int, str, Any]:
    syncs = all_syncs()
    lines = [f"{sync.name:<44} {sync.purpose}/{sync.channel:<8} {sync.mode}" for sync in syncs]
    document = [{"name": sync.name, **sync.model_dump(mode="json")} for sync in syncs]
    return (
        0,
        "\n".join(lines) or "no syncs yet: add reverse_etl/syncs/<audience>_to_<destination>.yml",
        document,
    )


def _plan(asked: argparse.Namespace) -> tuple[int, str, Any]:
    sync = find_sync(asked.name)
    warehouse = open_warehouse()
    try:
        planned, held = preview(warehouse, sync, gate=asked.gate)
    finally:
        warehouse.close()
    use = f"{sync.purpose}/{sync.channel}"
    lines = [
        f"{sync.name}: add {planned.add}, change {planned.change}, remove {planned.remove}",
        f"  audience: {planned.audience}, of them {planned.unconsented} without consent to {use}",
        f"  unreachable: {planned.unidentified}, unsure who: {planned.unsure}, doubles: {planned.duplicate}",
        f"  members: {planned.desired} wanted, {planned.held} there now or possibly",
        f"  would be held: {held}" if held else f"  next: python -m reverse_etl run {sync.name}",
    ]
    return (3 if held else 0), "\n".join(lines), {"sync": sync.name, **asdict(planned), "held_because": held}


def _run(asked: argparse.Namespace) -> tuple[int, str, Any]:
    sync = find_sync(asked.name)
    warehouse = open_warehouse()
    try:
        report = run_sync(warehouse, sync, gate=asked.gate, approve=asked.approve, wait_seconds=asked.wait)
    finally:
        warehouse.close()
    return (0 if report.state == "succeeded" else 1), told(report), report.as_dict()


def told(report: SyncReport) -> str:
    """Put the report in words."""
    lines = [f"{report.sync}: {report.state} in {report.seconds:.1f} s, {report.requests} requests"]
    for operation, outcomes in report.outcomes.items():
        counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        lines.append(f"  {operation}: {counted}")
    if not report.plan.size:
        lines.append("  nothing to send: the destination is as the audience")
    if report.reasons:
        lines.append("  reasons: " + ", ".join(f"{count} {code}" for code, count in report.reasons.items()))
    if report.duplicates_possible:
        lines.append("  duplicates possible: an unanswered request was repeated to a destination without keys")
    if report.state == "partial":
        lines.append(f"  details: select * from activation.attempts where run_id = '{report.run_id}'")
    return "\n".join(lines)


def _say(words: str, *, to_error: bool) -> None:
    print(words, file=sys.stderr if to_error else sys.stdout)


if __name__ == "__main__":
    sys.exit(main())

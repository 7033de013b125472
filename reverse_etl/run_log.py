"""One row per run in `activation.sync_runs`, and the same as a report: counts, never people."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from reverse_etl.desired import PlanRefused
from reverse_etl.destination import DestinationRefused, Outcome
from reverse_etl.environment import now
from reverse_etl.plan import Plan
from reverse_etl.send import Sending
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.warehouse import Warehouse, quoted

OPERATIONS = ("add", "change", "remove")
SENT = tuple(Outcome)


class Held(Protocol):
    """What the guards said."""

    @property
    def held(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def plan_id(self) -> str: ...
    @property
    def approved_by(self) -> str: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class SyncReport:
    """What a run did.

    `outcomes` counts changes by operation and outcome: the four of `Outcome`, and of those not sent
    `scrap` (unfit to leave), `suppressed` (consent vanished since the plan) and `moved` (changed since).
    `state` is succeeded, partial (some changes were not accepted or not tried), held, blocked or failed.
    """

    sync: str
    run_id: str
    state: str
    plan: Plan
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)  # reason codes of what was not delivered
    seconds: float = 0.0
    requests: int = 0
    duplicates_possible: bool = False
    held_because: str = ""
    refusal: str = ""  # why the destination, not a guard, stopped the run: a person must act
    kind: str = "run"
    plan_id: str = ""  # of what a guard held, or let pass because somebody approved it
    approved_by: str = ""
    warnings: tuple[str, ...] = ()
    cost: float = 0.0

    def count(self, *outcomes: str) -> int:
        """Count the changes with any of these outcomes, over all operations."""
        return sum(by_outcome.get(outcome, 0) for by_outcome in self.outcomes.values() for outcome in outcomes)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def report_of(sync: Sync, sending: Sending, planned: Plan, verdict: Held, *, kind: str, seconds: float) -> SyncReport:
    """Sum up a run."""
    outcomes: dict[str, dict[str, int]] = {}
    for (operation, outcome), count in sorted(sending.outcomes.items()):
        outcomes.setdefault(operation, {})[outcome] = count
    delivered = sum(n for (_, outcome), n in sending.outcomes.items() if outcome == Outcome.DELIVERED)
    sent = sum(n for (_, outcome), n in sending.outcomes.items() if outcome in SENT)
    state = verdict.state if verdict.held else "succeeded" if delivered == planned.size else "partial"
    spec = sending.destination.spec
    return SyncReport(
        sync=sync.name,
        run_id=sending.run_id,
        state="failed" if sending.refusal and not verdict.held else state,
        plan=planned,
        outcomes=outcomes,
        reasons=dict(sorted(sending.reasons.items())),
        seconds=round(seconds, 3),
        requests=sending.requests,
        duplicates_possible=sending.was_repeated and not spec.honours_operation_ids and not spec.is_set,
        held_because=verdict.held,
        refusal=sending.refusal,
        kind=kind,
        plan_id=verdict.plan_id,
        approved_by=verdict.approved_by,
        warnings=verdict.warnings,
        cost=round(sent * spec.cost_per_row, 6),
    )


def begin_run(
    warehouse: Warehouse, sync: Sync, run_id: str, epoch: int, started_at: datetime, *, kind: str = "run"
) -> None:
    """Log the run before it does anything; runs that died without a word are marked as abandoned."""
    warehouse.execute(
        "update activation.sync_runs set state = 'abandoned' where sync_name = ? and state = 'running'",
        [sync.name],
    )
    warehouse.execute(
        "delete from activation.plan where run_id in (select run_id from activation.sync_runs where sync_name = ?)",
        [sync.name],
    )
    values: dict[str, object] = {
        "run_id": run_id,
        "sync_name": sync.name,
        "audience": sync.audience,
        "destination": sync.destination,
        "purpose": "+".join(sync.purposes),
        "channel": sync.channel,
        "epoch": epoch,
        "state": "running",
        "started_at": started_at,
        "mode": sync.mode,
        "kind": kind,
    }
    places = ", ".join("?" for _ in values)
    warehouse.execute(
        f"insert into activation.sync_runs ({', '.join(values)}) values ({places})", list(values.values())
    )


def finish_run(warehouse: Warehouse, report: SyncReport) -> None:
    """Complete the run's row."""
    plan = report.plan
    held, unknown, rejected = _members(warehouse, report.sync)
    values: dict[str, object] = {
        "state": report.state,
        "reason": report.held_because or report.refusal or None,
        "finished_at": now(),
        "audience_count": plan.audience,
        "desired_count": plan.desired,
        "held_count": held,
        "unknown_count": unknown,
        "rejected_count": rejected,
        "scrap_count": report.count("scrap") + plan.unidentified,
        "suppressed_count": report.count("suppressed"),
        "excluded_count": plan.excluded,
        "held_out_count": plan.held_out,
        "is_duplicate_possible": report.duplicates_possible,
        "plan_id": report.plan_id or None,
        "approved_by": report.approved_by or None,
        "warnings": json.dumps(report.warnings) if report.warnings else None,
        "request_count": report.requests,
        "cost": report.cost,
    }
    for operation in OPERATIONS:
        outcomes = Counter(report.outcomes.get(operation, {}))
        attempted = sum(outcomes[outcome] for outcome in SENT)
        values[f"planned_{operation}"] = getattr(plan, operation)
        values[f"attempted_{operation}"] = attempted
        values[f"succeeded_{operation}"] = outcomes[Outcome.DELIVERED]
        values[f"failed_{operation}"] = attempted - outcomes[Outcome.DELIVERED] + outcomes["scrap"]
    assignments = ", ".join(f"{quoted(column)} = ?" for column in values)
    warehouse.execute(
        f"update activation.sync_runs set {assignments} where run_id = ?", [*values.values(), report.run_id]
    )
    warehouse.execute("delete from activation.plan where run_id = ?", [report.run_id])


def fail_run(warehouse: Warehouse, run_id: str, error: BaseException) -> None:
    """Log that an exception ended the run, unless it is logged.

    Of one that wasn't written for people only the kind is kept: its text may quote values.
    """
    is_ours = isinstance(error, PlanRefused | BadDeclaration | DestinationRefused)
    reason = str(error) if is_ours else type(error).__name__
    warehouse.execute(
        "update activation.sync_runs set state = 'failed', reason = ?, finished_at = ? "
        "where run_id = ? and state = 'running'",
        [reason, now(), run_id],
    )


def _members(warehouse: Warehouse, sync_name: str) -> tuple[int, int, int]:
    """Count who is held, whose last send is unanswered, and who is a dead letter."""
    [(held, unknown)] = warehouse.execute(
        "select count(case when is_held then 1 end), count(pending_operation) "
        "from activation.journal where sync_name = ?",
        [sync_name],
    )
    [(rejected,)] = warehouse.execute("select count(*) from activation.dead_letters where sync_name = ?", [sync_name])
    return int(held), int(unknown), int(rejected)

"""One row per run in `activation.sync_runs`, and the same as a report: counts, never people."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from reverse_etl.destination import Outcome
from reverse_etl.environment import now
from reverse_etl.plan import Plan
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse, quoted

OPERATIONS = ("add", "change", "remove")
SENT = tuple(Outcome)


@dataclass(frozen=True)
class SyncReport:
    """What a run did.

    `outcomes` counts changes by operation and outcome: the four of `Outcome`, and of those not sent
    `scrap` (unfit to leave), `suppressed` (consent vanished since the plan) and `moved` (changed since).
    `state` is succeeded, partial (some changes were not accepted or not tried), held or failed.
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

    def count(self, *outcomes: str) -> int:
        """Count the changes with any of these outcomes, over all operations."""
        return sum(by_outcome.get(outcome, 0) for by_outcome in self.outcomes.values() for outcome in outcomes)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def begin_run(warehouse: Warehouse, sync: Sync, run_id: str, epoch: int, started_at: datetime) -> None:
    """Log the run before it does anything; runs that died without a word are marked as abandoned."""
    warehouse.execute(
        "update activation.sync_runs set state = 'abandoned' where sync_name = ? and state = 'running'",
        [sync.name],
    )
    warehouse.execute(
        "delete from activation.plan where run_id in (select run_id from activation.sync_runs where sync_name = ?)",
        [sync.name],
    )
    warehouse.execute(
        """
        insert into activation.sync_runs (
            run_id, sync_name, audience, destination, purpose, channel, epoch, state, started_at
        ) values (?, ?, ?, ?, ?, ?, ?, 'running', ?)
        """,
        [run_id, sync.name, sync.audience, sync.destination, sync.purpose, sync.channel, epoch, started_at],
    )


def finish_run(warehouse: Warehouse, report: SyncReport) -> None:
    """Complete the run's row."""
    plan = report.plan
    values: dict[str, object] = {
        "state": report.state,
        "reason": report.held_because or None,
        "finished_at": now(),
        "audience_count": plan.audience,
        "desired_count": plan.desired,
        "held_count": _members(warehouse, report.sync),
        "scrap_count": report.count("scrap") + plan.unidentified,
        "suppressed_count": report.count("suppressed"),
        "is_duplicate_possible": report.duplicates_possible,
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
    """Log that an exception ended the run, unless it is logged; its text may quote values and is not kept."""
    warehouse.execute(
        "update activation.sync_runs set state = 'failed', reason = ?, finished_at = ? "
        "where run_id = ? and state = 'running'",
        [type(error).__name__, now(), run_id],
    )


def _members(warehouse: Warehouse, sync_name: str) -> int:
    return int(
        warehouse.execute("select count(*) from activation.journal where sync_name = ? and is_held", [sync_name])[0][0]
    )

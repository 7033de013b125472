"""Run one sync: plan, guard, intend, deliver, record; killed at any point, the next run converges."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from reverse_etl.batch import Planned, entering, leaving, ranges
from reverse_etl.deliver import Delivery
from reverse_etl.destination import Destination, DestinationRefused, Outcome, checked, load_destination
from reverse_etl.environment import now
from reverse_etl.guard import closed_gate, shrinking
from reverse_etl.journal import intend, open_journal, record
from reverse_etl.lease import Lease, lease
from reverse_etl.plan import Plan, plan
from reverse_etl.run_log import SyncReport, begin_run, fail_run, finish_run
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

__all__ = ["Gate", "SyncHeld", "SyncReport", "preview", "run_sync"]

Gate = Literal["required", "ignored"]

GIVE_UP_AFTER = 3  # batches in a row without any answer: the destination is down


class SyncHeld(RuntimeError):
    """A guard or gate holds the sync; removals of people who took back their consent were still sent."""

    def __init__(self, message: str, report: SyncReport) -> None:
        super().__init__(message)
        self.report = report


def preview(
    warehouse: Warehouse, sync: Sync, *, destination: Destination | None = None, gate: Gate = "required"
) -> tuple[Plan, str]:
    """Say what a run would do now, and why it would be held (empty: it would not); send and keep nothing."""
    target = _target(sync, destination)
    open_journal(warehouse)
    with suppress(_Undone), warehouse.transaction():
        planned = plan(warehouse, sync, target.spec, f"{sync.name}-preview", 0)
        raise _Undone
    return planned, _why_held(warehouse, sync, planned, gate, is_approved=False)


class _Undone(Exception):
    pass


def run_sync(
    warehouse: Warehouse,
    sync: Sync,
    *,
    destination: Destination | None = None,
    gate: Gate = "required",
    approve: bool = False,
    wait_seconds: float = 0,
    deadline_seconds: float = 900,
    sleep: Callable[[float], None] = time.sleep,
) -> SyncReport:
    """Bring the destination to the audience as it is now, and say what happened to every change.

    `approve` lifts the guards against shrinking once; `gate` says whether a passed quality verdict is needed;
    `wait_seconds` is how long to wait for another run of the same sync, `deadline_seconds` how long to retry.
    Raises SyncHeld, SyncBusy, PlanRefused, BadDeclaration, or DestinationRefused when a person must act.
    """
    target = _target(sync, destination)
    open_journal(warehouse)
    with lease(warehouse, sync.name, wait_seconds) as held:
        run = _Run(warehouse, sync, target, held, f"{sync.name}-{held.epoch}", sleep)
        begin_run(warehouse, sync, run.run_id, held.epoch, now())
        try:
            return run.through(gate, is_approved=approve, deadline_seconds=deadline_seconds)
        except BaseException as error:
            fail_run(warehouse, run.run_id, error)
            raise


def _target(sync: Sync, destination: Destination | None) -> Destination:
    return checked(sync, destination) if destination else load_destination(sync)


def _why_held(warehouse: Warehouse, sync: Sync, planned: Plan, gate: Gate, *, is_approved: bool) -> str:
    """One line: what is wrong, and how to go on."""
    if gate == "required" and (closed := closed_gate(warehouse, sync)):
        return f"{closed}; run its checks, or pass --gate ignored"
    if not is_approved and (alarm := shrinking(sync, planned)):
        return f"{alarm}; if that is right: python -m reverse_etl run {sync.name} --approve"
    return ""


@dataclass
class _Run:
    """One run under its lease, and what it has counted so far."""

    warehouse: Warehouse
    sync: Sync
    destination: Destination
    lease: Lease
    run_id: str
    sleep: Callable[[float], None]
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    has_resent: bool = False
    delivery: Delivery | None = None
    started: float = field(default_factory=time.monotonic)

    def through(self, gate: Gate, *, is_approved: bool, deadline_seconds: float) -> SyncReport:
        with self.warehouse.transaction():
            planned = plan(self.warehouse, self.sync, self.destination.spec, self.run_id, self.lease.epoch)
        held = _why_held(self.warehouse, self.sync, planned, gate, is_approved=is_approved)
        if held:
            # A hold protects against a broken audience; it must not keep anyone who asked to leave.
            self.warehouse.execute(
                "delete from activation.plan where run_id = ? and coalesce(reason, '') <> 'revoked'",
                [self.run_id],
            )
        if planned.revoked if held else planned.size:
            self._deliver_all(time.monotonic() + deadline_seconds)
        report = self._report(planned, held)
        finish_run(self.warehouse, report)
        if self.delivery and self.delivery.refusal:
            raise DestinationRefused(
                f"{self.sync.name}: {self.sync.destination} refuses every request ({self.delivery.refusal}); "
                "check its credentials and options, then run again: nothing is lost"
            )
        if held:
            raise SyncHeld(f"{self.sync.name} is held: {held}", report)
        return report

    def _deliver_all(self, deadline: float) -> None:
        spec, unanswered = self.destination.spec, 0
        with self.destination.connect() as transport:
            self.delivery = Delivery(self.destination, transport, deadline, self._patiently)
            for first, last, is_removal in list(ranges(self.warehouse, self.run_id, spec.batch_rows)):
                if is_removal:
                    batch = leaving(self.warehouse, self.sync, self.run_id, first=first, last=last)
                else:
                    batch = entering(self.warehouse, self.sync, spec, self.run_id, first=first, last=last)
                is_answered = self._deliver_batch(self.delivery, batch)
                unanswered = 0 if is_answered else unanswered + 1
                if self.delivery.is_over or unanswered >= GIVE_UP_AFTER:
                    return

    def _deliver_batch(self, delivery: Delivery, batch: list[Planned]) -> bool:
        """Whether anything in it was settled."""
        kept_back = [planned for planned in batch if planned.outcome]
        to_send = [planned for planned in batch if not planned.outcome]
        # What is kept back never leaves, so its intent and its outcome are one transaction.
        if kept_back:
            self._write(kept_back, [(p, p.outcome, p.code) for p in kept_back])
        if not to_send:
            return True
        self._write(to_send)
        self.has_resent = self.has_resent or any(planned.is_resend for planned in to_send)
        receipts = delivery.deliver([planned.change for planned in to_send])
        answers = [(p, str(r.outcome), r.code) for p, r in zip(to_send, receipts, strict=True)]
        self._write([], answers)
        return any(r.outcome in {Outcome.DELIVERED, Outcome.REJECTED} for r in receipts)

    def _write(self, intents: Iterable[Planned], answers: Iterable[tuple[Planned, str, str]] = ()) -> None:
        """Journal intents and answers in one transaction, and only while the lease is ours."""
        found_by = {
            planned.position: json.dumps(dict(planned.change.identifiers), separators=(",", ":"))
            for planned in intents
            if planned.outcome in {"", Outcome.REJECTED}
        }
        answered = list(answers)
        with self.warehouse.transaction():
            self.lease.renew(self.warehouse)
            if found_by:
                intend(self.warehouse, self.sync.name, self.run_id, found_by, now())
            if answered:
                rows = [(planned.position, outcome, code) for planned, outcome, code in answered]
                record(self.warehouse, self.sync.name, self.run_id, rows, now())
        for planned, outcome, code in answered:
            word = "scrap" if planned.outcome == Outcome.REJECTED else outcome
            self.outcomes[planned.change.operation, word] += 1
            if outcome != Outcome.DELIVERED:
                self.reasons[code] += 1

    def _patiently(self, seconds: float) -> None:
        """Wait, holding the lease meanwhile."""
        while seconds > 0:
            self.lease.renew(self.warehouse)
            self.sleep(min(seconds, 30))
            seconds -= 30

    def _report(self, planned: Plan, held: str) -> SyncReport:
        outcomes: dict[str, dict[str, int]] = {}
        for (operation, outcome), count in sorted(self.outcomes.items()):
            outcomes.setdefault(operation, {})[outcome] = count
        delivered = sum(n for (_, outcome), n in self.outcomes.items() if outcome == Outcome.DELIVERED)
        state = "succeeded" if delivered == planned.size else "partial"
        if self.delivery and self.delivery.refusal:
            state = "failed"
        spec = self.destination.spec
        was_repeated = self.has_resent or bool(self.delivery and self.delivery.was_repeated)
        return SyncReport(
            sync=self.sync.name,
            run_id=self.run_id,
            state="held" if held else state,
            plan=planned,
            outcomes=outcomes,
            reasons=dict(sorted(self.reasons.items())),
            seconds=round(time.monotonic() - self.started, 3),
            requests=self.delivery.requests if self.delivery else 0,
            duplicates_possible=was_repeated and not spec.honours_operation_ids and not spec.is_set,
            held_because=held,
        )

"""Run one sync: plan, guard, intend, deliver, record; killed at any point, the next run converges."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal

from reverse_etl.alert import tell
from reverse_etl.approval import approved_by, plan_id, use
from reverse_etl.desired import DESIRED, lay_out
from reverse_etl.destination import Destination, DestinationRefused, checked, load_destination
from reverse_etl.environment import command, now
from reverse_etl.guard import Alarm, alarms, closed_gate
from reverse_etl.identity import Identity, identity_of
from reverse_etl.journal import open_journal, rest
from reverse_etl.lease import Lease, lease
from reverse_etl.parts import forget, is_counting
from reverse_etl.place import stay
from reverse_etl.plan import Plan, plan
from reverse_etl.policy import Policy, policy_of
from reverse_etl.reconcile import reconcile
from reverse_etl.run_log import SyncReport, begin_run, fail_run, finish_run, report_of
from reverse_etl.send import Sending
from reverse_etl.shared import RELEASED, release
from reverse_etl.split import record_arms
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.warehouse import Warehouse

__all__ = ["Gate", "SyncHeld", "SyncReport", "preview", "previewing", "run_sync"]

Gate = Literal["required", "ignored"]
Kind = Literal["run", "resync", "retry-rejected", "let-go"]

_PREPARE = {
    # The journal stays: who is held is changed, or removed by what was delivered.
    "resync": "update activation.journal set delivered_fingerprint = null, rejected_fingerprint = null "
    "where sync_name = ?",
    "retry-rejected": "update activation.journal set rejected_fingerprint = null where sync_name = ?",
}


class SyncHeld(RuntimeError):
    """A guard or gate holds the sync; removals of people who took back their consent were still sent."""

    def __init__(self, message: str, report: SyncReport) -> None:
        super().__init__(message)
        self.report = report


class _Undone(Exception):
    pass


def preview(
    warehouse: Warehouse,
    sync: Sync,
    *,
    destination: Destination | None = None,
    gate: Gate = "required",
    policy: Policy | None = None,
) -> tuple[Plan, str]:
    """Say what a run would do now, and why it would be held (empty: it would not); send and keep nothing."""
    with previewing(warehouse, sync, destination=destination, gate=gate, policy=policy) as found:
        planned, verdict, _ = found
    return planned, verdict.held


@contextmanager
def previewing(
    warehouse: Warehouse,
    sync: Sync,
    *,
    destination: Destination | None = None,
    gate: Gate = "required",
    policy: Policy | None = None,
    kind: Kind = "run",
) -> Iterator[tuple[Plan, "Verdict", str]]:
    """Lay the plan out for the block, under the run id it gives; nothing of it stays."""
    identity = identity_of(sync, target := _target(sync, destination))
    open_journal(warehouse)
    stay(warehouse, sync, target, moves=kind == "resync")
    policy, run_id = policy or policy_of(sync), f"{sync.name}-preview"
    try:
        with _spared(warehouse):
            desired = lay_out(warehouse, identity, policy)
            with warehouse.transaction():
                _prepare(warehouse, sync, kind)
                planned = plan(warehouse, sync, desired, (run_id, 0), policy)
                found = alarms(warehouse, sync, target.spec, planned, is_resync=kind == "resync")
                yield planned, _verdict(warehouse, sync, found, gate, run_id, is_approved=False), run_id
                _undo()
    except _Undone:
        return


def _spared(warehouse: Warehouse) -> AbstractContextManager[None]:
    """Take little memory, where the warehouse is in this process."""
    spared: Callable[[], AbstractContextManager[None]] = getattr(warehouse, "spared", nullcontext)
    return spared()


def _undo() -> None:
    raise _Undone


def _prepare(warehouse: Warehouse, sync: Sync, kind: Kind) -> None:
    if kind in _PREPARE:
        warehouse.execute(_PREPARE[kind], [sync.name])


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
    kind: Kind = "run",
    policy: Policy | None = None,
) -> SyncReport:
    """Bring the destination to the audience as it is now, and say what happened to every change.

    `approve` lifts the guards that hold once; `gate` says whether a passed quality verdict is needed; `kind` may
    be `resync`, to send everybody again, `retry-rejected`, to try also those that were refused as they are, or
    `let-go`, to do no more than the removals that are due.
    `wait_seconds` is how long to wait for another run of the same sync, `deadline_seconds` how long to retry.
    Raises SyncHeld, SyncBusy, PlanRefused, BadDeclaration, or DestinationRefused when a person must act.
    """
    if kind == "resync" and sync.mode in {"insert", "append_events"}:
        raise BadDeclaration(f"{sync.name}: mode {sync.mode} delivers once; a resync would deliver everything twice")
    target = _target(sync, destination)
    open_journal(warehouse)
    with lease(warehouse, sync.name, wait_seconds) as held:
        run = _Run(warehouse, sync, target, held, f"{sync.name}-{held.epoch}", sleep, kind, policy or policy_of(sync))
        begin_run(warehouse, sync, run.run_id, held.epoch, now(), kind=kind)
        try:
            with _spared(warehouse):
                return run.through(gate, is_approved=approve, deadline_seconds=deadline_seconds)
        except BaseException as error:
            fail_run(warehouse, run.run_id, error)
            if isinstance(error, Exception):
                tell(warehouse, sync, run.run_id)
            raise


def _target(sync: Sync, destination: Destination | None) -> Destination:
    return checked(sync, destination) if destination else load_destination(sync)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a plan doesn't go through, in one line that says how to go on; empty: it does."""

    held: str = ""
    state: str = "held"
    plan_id: str = ""
    approved_by: str = ""
    warnings: tuple[str, ...] = ()


def _verdict(
    warehouse: Warehouse, sync: Sync, found: list[Alarm], gate: Gate, run_id: str, *, is_approved: bool
) -> Verdict:
    warnings = tuple(alarm.words for alarm in found if alarm.action == "warn")
    if gate == "required" and (closed := closed_gate(warehouse, sync)):
        return Verdict(f"{closed}; run its checks, or pass --gate ignored", warnings=warnings)
    blocks = [alarm.words for alarm in found if alarm.action == "block"]
    if blocks:
        return Verdict(f"{'; '.join(blocks)}; blocked by guards in {sync.name}.yml", "blocked", warnings=warnings)
    holds = [alarm.words for alarm in found if alarm.action == "hold"]
    if not holds:
        return Verdict(warnings=warnings)
    if is_approved:
        return Verdict(approved_by="--approve", warnings=(*holds, *warnings))
    held = plan_id(warehouse, run_id)
    if who := approved_by(warehouse, sync, held):
        return Verdict(plan_id=held, approved_by=who, warnings=(*holds, *warnings))
    way = f"{command()} approve {sync.name}, then run; or {command()} run {sync.name} --approve"
    return Verdict(f"{'; '.join(holds)}; if that is right: {way}", plan_id=held, warnings=warnings)


@dataclass
class _Run:
    """One run under its lease."""

    warehouse: Warehouse
    sync: Sync
    destination: Destination
    lease: Lease
    run_id: str
    sleep: Callable[[float], None]
    kind: Kind
    policy: Policy
    started: float = field(default_factory=time.monotonic)

    def through(self, gate: Gate, *, is_approved: bool, deadline_seconds: float) -> SyncReport:
        identity = identity_of(self.sync, self.destination)
        stay(self.warehouse, self.sync, self.destination, run_id=self.run_id, moves=self.kind == "resync")
        reconcile(self.warehouse, self.sync, self.destination, self.lease)
        planned, verdict = self._plan(identity, gate, is_approved=is_approved)
        sending = Sending(self.warehouse, identity, self.destination, self.lease, self.run_id, self.sleep)
        if planned.revoked if verdict.held else planned.size:
            sending.all(time.monotonic() + deadline_seconds)
        if released := release(self.warehouse, self.sync.name, self.run_id, self.lease):
            sending.outcomes["release", RELEASED] = released
        if planned.remove + planned.released and is_counting(self.warehouse, self.sync.name):
            forget(self.warehouse, self.sync.name)
        rest(self.warehouse, self.sync.name)
        report = report_of(
            self.sync, sending, planned, verdict, kind=self.kind, seconds=time.monotonic() - self.started
        )
        finish_run(self.warehouse, report)
        if sending.refusal:
            raise DestinationRefused(
                f"{self.sync.name}: {self.sync.destination} refuses every request ({sending.refusal}); "
                f"{self.sync.owner} must check its credentials and options, then run again: nothing is lost"
            )
        if verdict.held:
            raise SyncHeld(f"{self.sync.name} is {verdict.state}: {verdict.held}", report)
        tell(self.warehouse, self.sync, self.run_id)
        return report

    def _plan(self, identity: Identity, gate: Gate, *, is_approved: bool) -> tuple[Plan, Verdict]:
        desired = lay_out(self.warehouse, identity, self.policy)
        if self.sync.split:
            record_arms(self.warehouse, self.sync.name, self.sync.split, DESIRED, now())
        with self.warehouse.transaction():
            _prepare(self.warehouse, self.sync, self.kind)
            planned = plan(self.warehouse, self.sync, desired, (self.run_id, self.lease.epoch), self.policy)
        spec, is_resync = self.destination.spec, self.kind == "resync"
        found = alarms(self.warehouse, self.sync, spec, planned, is_resync=is_resync)
        verdict = _verdict(self.warehouse, self.sync, found, gate, self.run_id, is_approved=is_approved)
        if verdict.held:
            # A hold protects against a broken audience; it must not keep anyone who asked to leave.
            self.warehouse.execute(
                "delete from activation.plan where run_id = ? and coalesce(reason, '') <> 'revoked'",
                [self.run_id],
            )
        elif verdict.plan_id:
            use(self.warehouse, self.sync, verdict.plan_id, self.run_id)
        if self.kind == "let-go":
            removals = "delete from activation.plan where run_id = ? and operation not in ('remove', 'release')"
            self.warehouse.execute(removals, [self.run_id])
            planned = replace(planned, add=0, change=0)
        return planned, verdict

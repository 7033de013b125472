"""The outbox leaves: decided anew, filled in, intended, sent, recorded. Killed anywhere, nothing is sent twice.

An intent is committed before its message leaves. Who finds one without an answer sends again under the same id, where
the destination knows ids and still remembers them; elsewhere it may have arrived, and a repeat is worse than a loss.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from reverse_etl.account import account_of
from reverse_etl.contended import contended
from reverse_etl.deliver import Delivery
from reverse_etl.destination import (
    Change,
    Destination,
    DestinationRefused,
    Outcome,
    Receipt,
    load_destination,
)
from reverse_etl.environment import now as real_now
from reverse_etl.kept_open import keeping_open
from reverse_etl.lease import Lease, LeaseLost, SyncBusy, lease
from reverse_etl.sync import BadDeclaration, Channel, Sync
from reverse_etl.triggers.listing import Listing
from reverse_etl.triggers.prepare import Letter, Prepared, prepare, remembers
from reverse_etl.triggers.report import Dispatched
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse

LEASE = "triggers"
FRESH = 30.0  # seconds for which a decision holds: what has to wait longer is decided anew
GIVE_UP_AFTER = 3  # groups in a row without any answer
FIRST_WAIT, LONGEST_WAIT = 30, 3_600  # seconds until what was deferred or not answered is tried again

Open = Callable[[], Warehouse]
Load = Callable[[Sync], Destination]


def dispatch(
    open_warehouse: Open,
    triggers: Sequence[Trigger],
    now: Callable[[], datetime] = real_now,
    *,
    load: Load = load_destination,
    sleep: Callable[[float], None] = time.sleep,
    deadline_seconds: float = 300,
) -> Dispatched:
    """Send what waits in the outbox; what can't be settled now stays there. One dispatcher at a time sends."""
    report = Dispatched()
    warehouse = open_warehouse()
    try:
        with keeping_open(), lease(warehouse, LEASE) as held:
            run = _Run(warehouse, held, now, load, sleep, time.monotonic() + deadline_seconds, report)
            for trigger in triggers:
                run.all(trigger)
    except SyncBusy:
        report.is_busy = True
    finally:
        warehouse.close()
    return report


@dataclass
class _Run:
    """One dispatcher at work."""

    warehouse: Warehouse
    lease: Lease
    now: Callable[[], datetime]
    load: Load
    sleep: Callable[[float], None]
    deadline: float
    report: Dispatched

    def all(self, trigger: Trigger) -> None:
        if trigger.list:
            listing = Listing(
                self.warehouse, self.lease, trigger, self.load, self.now, self._patiently, self.deadline, self.report
            )
            self._ask(f"{trigger.name} on lists", listing.all)
            self._say_who_is_left_behind(trigger.name, trigger.list.destination)
        for channel in self.waiting(trigger):
            self._ask(f"{trigger.name} by {channel}", partial(self._send, trigger, channel))

    def _ask(self, what: str, send: Callable[[], None]) -> None:
        try:
            send()
        except (DestinationRefused, BadDeclaration) as refusal:  # it waits, and the other triggers go on
            self.report.refused[what] = str(refusal)
        except LeaseLost:
            raise
        except Exception as fault:  # noqa: BLE001 - its text may quote a value
            self.report.refused[what] = type(fault).__name__

    def _say_who_is_left_behind(self, trigger: str, destination: str) -> None:
        for former, count in self.warehouse.execute(
            "select destination, count(*) from activation.list_members where trigger_name = ? and destination <> ? "
            "and is_held and not is_wanted group by destination",
            [trigger, destination],
        ):
            self.report.refused[f"{trigger} at {former}"] = (
                f"{count} must leave its lists there: name {former} in the trigger until they have"
            )

    def waiting(self, trigger: Trigger) -> list[Channel]:
        if not trigger.enabled:
            return []
        found = self.warehouse.execute(
            "select distinct channel from activation.outbox where trigger_name = ? "
            "and state in ('pending', 'sending', 'unknown') and wake_at <= ? order by 1",
            [trigger.name, self.now()],
        )
        return [channel for (channel,) in found if channel in trigger.send]

    def _send(self, trigger: Trigger, channel: Channel) -> None:
        sync = trigger.sync(channel)
        destination = self.load(sync)
        account = account_of(self.warehouse, sync, destination)
        unanswered = 0
        with destination.connect() as transport:
            delivery = Delivery(
                destination, transport, self.deadline, self._patiently,
                pace=account.wait_seconds, attempts=1 if account.is_probing else 0,
            )  # fmt: skip
            while not delivery.is_over and unanswered < GIVE_UP_AFTER:
                prepared = contended(self.warehouse, partial(self._prepare, trigger, channel, destination))
                self.report.add(trigger.name, prepared.outcomes)
                if not prepared.seen:
                    break
                answered = self._deliver(trigger, delivery, prepared.letters)
                unanswered = 0 if answered else unanswered + 1
                delivery.attempts = 0 if answered else delivery.attempts
                account.remember(unanswered, delivery.refusal)
        if delivery.refusal:
            self.report.refused[f"{trigger.name} by {channel}"] = delivery.refusal

    def _prepare(self, trigger: Trigger, channel: Channel, destination: Destination) -> Prepared:
        self.lease.renew(self.warehouse)
        return prepare(self.warehouse, trigger, channel, destination, self.now())

    def _deliver(self, trigger: Trigger, delivery: Delivery, letters: Sequence[Letter]) -> bool:
        """Send the letters and record what became of each; whether anything was settled."""
        receipts: list[tuple[Letter, Receipt]] = []
        size = delivery.destination.spec.batch_rows
        delivery.deadline = min(self.deadline, time.monotonic() + FRESH)
        for is_uncertain in (True, False):
            alike = [letter for letter in letters if letter.is_uncertain is is_uncertain]
            for first in range(0, len(alike), size):
                part = alike[first : first + size]
                changes: list[Change] = [letter.change for letter in part]
                said = delivery.deliver(changes, is_uncertain=is_uncertain)
                receipts += zip(part, said, strict=True)
        delivery.deadline = self.deadline
        self.report.add(trigger.name, contended(self.warehouse, partial(self._record, delivery.destination, receipts)))
        return not letters or any(r.outcome in {Outcome.DELIVERED, Outcome.REJECTED} for _, r in receipts)

    def _record(self, destination: Destination, receipts: list[tuple[Letter, Receipt]]) -> Counter[str]:
        moment, states = self.now(), Counter[str]()
        self.lease.renew(self.warehouse)
        for letter, receipt in receipts:
            state = _state(destination, receipt.outcome)
            is_open = state in {"pending", "unknown"}
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(letter.attempts, 10)) if is_open else 0
            self.warehouse.execute(
                "update activation.outbox set state = ?, code = ?, acknowledged_at = ?, wake_at = ?, "
                "sent_at = case when ? then null else sent_at end where message_id = ?",
                [
                    state, receipt.code or None, moment if receipt.outcome is Outcome.DELIVERED else None,
                    moment + timedelta(seconds=wait), state == "pending", letter.message_id,
                ],
            )  # fmt: skip
            states[state] += 1
        return states

    def _patiently(self, seconds: float) -> None:
        """Wait, holding the lease meanwhile."""
        while seconds > 0:
            self.lease.renew(self.warehouse)
            self.sleep(min(seconds, 30))
            seconds -= 30


def _state(destination: Destination, outcome: Outcome) -> str:
    if outcome is Outcome.UNKNOWN:
        return "unknown" if remembers(destination) else "may_have_arrived"
    return {Outcome.DELIVERED: "sent", Outcome.REJECTED: "rejected"}.get(outcome, "pending")

"""Lists are brought to what was decided: who leaves first, each as they were named, intents before requests.

Many short lists are one piece of work: what is intended for all of them is one transaction, and so is what came of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TypeVar

from reverse_etl.account import Account, account_name, account_of
from reverse_etl.contended import contended
from reverse_etl.deliver import Delivery
from reverse_etl.destination import Destination, Operation, Receipt
from reverse_etl.identity import Identity, identity_of
from reverse_etl.lease import Lease
from reverse_etl.sync import Sync
from reverse_etl.triggers.list_rows import AWAITED, LEAVES, Entry, ListRows
from reverse_etl.triggers.report import Dispatched
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse

TOGETHER = 100  # lists that are open at once
ANSWERS_KEPT = timedelta(days=3)

Answered = list[tuple[Entry, Receipt, datetime]]  # the moment of the answer
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Desk:
    """Where one list is brought."""

    identity: Identity
    delivery: Delivery


@dataclass
class Listing:
    """Brings the lists of one trigger to what was decided."""

    warehouse: Warehouse
    lease: Lease
    trigger: Trigger
    load: Callable[[Sync], Destination]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    deadline: float
    report: Dispatched
    _counts: Counter[str] = field(default_factory=Counter)  # of the transaction that is open
    _accounts: dict[str, Account] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = ListRows(self.warehouse, self.trigger, self.lease.epoch, self.now, self._counts)

    def all(self) -> None:
        """Whoever must leave does, before anybody enters another list, and also while the trigger is disabled."""
        self._through("remove", LEAVES)
        if self.trigger.enabled:
            self._through("add", AWAITED)
        self._settled(self._forget)

    def _through(self, operation: Operation, due: str) -> None:
        for names in _parts(self.rows.lists(due), TOGETHER):
            with ExitStack() as stack:
                self._bring(operation, {name: self._desk(name, stack) for name in names})

    def _desk(self, list_name: str, stack: ExitStack) -> Desk:
        sync = self.trigger.list_sync(list_name)
        destination = self.load(sync)
        account = self._account(sync, destination)
        transport = stack.enter_context(destination.connect())
        delivery = Delivery(destination, transport, self.deadline, self.sleep, pace=account.wait_seconds)
        return Desk(identity_of(sync, destination), delivery)

    def _account(self, sync: Sync, destination: Destination) -> Account:
        name = account_name(sync, destination)
        if name not in self._accounts:
            self._accounts[name] = account_of(self.warehouse, sync, destination)
        return self._accounts[name]

    def _bring(self, operation: Operation, desks: dict[str, Desk]) -> None:
        while open_ := {name: desk.identity for name, desk in desks.items() if not desk.delivery.is_over}:
            entries, is_rest = self._settled(partial(self.rows.intend, operation, open_))
            answered = [said for name, mine in _by_list(entries) for said in self._deliver(desks[name], mine)]
            if answered:
                self._settled(partial(self.rows.record, answered))
            if is_rest:
                break
        for name, desk in desks.items():
            if desk.delivery.refusal:
                self.report.refused[f"{self.trigger.name} on {name}"] = desk.delivery.refusal

    def _deliver(self, desk: Desk, entries: Sequence[Entry]) -> Answered:
        """Send the entries of one list, as many at a time as its platform takes."""
        answered: Answered = []
        for is_uncertain in (True, False):
            alike = [entry for entry in entries if entry.is_uncertain is is_uncertain]
            for part in _parts(alike, desk.identity.spec.batch_rows):
                said = desk.delivery.deliver([entry.change for entry in part], is_uncertain=is_uncertain)
                moment = self.now()
                answered += [(entry, receipt, moment) for entry, receipt in zip(part, said, strict=True)]
        return answered

    def _settled(self, work: Callable[[], Result]) -> Result:
        """Do it in a transaction under the lease; a cycle of the owner may write the same rows meanwhile."""

        def once() -> Result:
            self._counts.clear()
            self.lease.renew(self.warehouse)
            return work()

        done = contended(self.warehouse, once)
        self.report.add(self.trigger.name, self._counts)
        return done

    def _forget(self) -> None:
        self.warehouse.execute(
            "delete from activation.list_answers where acknowledged_at < ?", [self.now() - ANSWERS_KEPT]
        )
        self.warehouse.execute(
            "delete from activation.list_members "
            "where trigger_name = ? and not is_wanted and not is_held and pending_operation is null",
            [self.trigger.name],
        )


def _parts(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[first : first + size] for first in range(0, len(items), size)]


def _by_list(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """Entries by list, each list's in their order."""
    ordered = sorted(entries, key=lambda entry: entry.list_name)
    return [(name, list(mine)) for name, mine in groupby(ordered, key=lambda entry: entry.list_name)]

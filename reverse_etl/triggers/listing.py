"""Lists are brought to what was decided: who leaves first, each as they were named, intents before requests."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from reverse_etl.account import account_of
from reverse_etl.consent import consented
from reverse_etl.contended import contended
from reverse_etl.deliver import Delivery
from reverse_etl.destination import Change, Destination, Operation, Outcome, Receipt, Scalar
from reverse_etl.identity import Identity, identity_of, member_of
from reverse_etl.lease import Lease
from reverse_etl.payload import flaw, readable, scalar
from reverse_etl.sync import Sync
from reverse_etl.triggers.report import Dispatched
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse, quoted

FIRST_WAIT, LONGEST_WAIT = 30, 3_600
_KEY = "destination = ? and list_name = ? and profile_id = ?"
_MINE = "trigger_name = ? and destination = ?"  # a trigger may have had another destination
_LEAVES = "not is_wanted and is_held"
_AWAITED = "is_wanted and (acknowledged_at is null or pending_operation is not null)"
_ABSENT = f"profile_id in (select profile_id from activation.list_members where {_AWAITED})"
_DUE = f"is_wanted and acknowledged_at is null or {_LEAVES} or pending_operation is not null"
ANSWERS_KEPT = timedelta(days=3)
# Who decided: the trigger that put on; of who leaves the one that took off, or put on if time or consent ended it.
_ANSWERED = f"""
insert into activation.list_answers
select
    operation_id,
    case when is_wanted or reason in ('expired', 'revoked') then trigger_name else coalesce(reason, trigger_name) end,
    list_name, profile_id, cast(? as text), decided_at, sent_at, cast(? as timestamp)
from activation.list_members
where {_KEY} and operation_id is not null and sent_at is not null
on conflict do nothing
"""
_LEAVING = f"""
select profile_id, identifiers, operation_id, pending_operation, intents, attempts from activation.list_members
where {_MINE} and list_name = ? and {_LEAVES} and wake_at <= ?
order by decided_at, profile_id limit {{limit}}
"""
_ENTERING = """
select
    members.profile_id, members.operation_id, members.pending_operation, members.intents, members.attempts,
    coalesce(consented.is_granted, 0) = 1{columns}
from activation.list_members as members
left join ({consented}) as consented on members.profile_id = consented.profile_id
left join (select * from profiles.profiles where {absent}) as profiles on members.profile_id = profiles.profile_id
where members.trigger_name = ? and members.destination = ? and members.list_name = ? and members.is_wanted
    and (members.acknowledged_at is null or members.pending_operation is not null) and members.wake_at <= ?
order by members.decided_at, members.profile_id
limit {limit}
"""

Result = TypeVar("Result")
Read = Callable[[str, Sync, Identity], list["Entry"]]


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who is about to be put on a list or taken off it."""

    profile_id: str
    change: Change
    intents: int
    attempts: int
    is_uncertain: bool


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

    def all(self) -> None:
        """Whoever must leave does, also while the trigger is disabled."""
        found = self.warehouse.execute(
            f"select distinct list_name from activation.list_members where {_MINE} and wake_at <= ? "
            f"and ({_DUE if self.trigger.enabled else _LEAVES}) order by 1",
            [*self._mine(), self.now()],
        )
        for (list_name,) in found:
            self._list(list_name)
        self._settled(self._forget)

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

    def _list(self, list_name: str) -> None:
        sync = self.trigger.list_sync(list_name)
        destination = self.load(sync)
        identity, account = identity_of(sync, destination), account_of(self.warehouse, sync, destination)
        with destination.connect() as transport:
            delivery = Delivery(destination, transport, self.deadline, self.sleep, pace=account.wait_seconds)
            for read in (self._leaving, self._entering) if self.trigger.enabled else (self._leaving,):
                while not delivery.is_over:
                    if not (entries := self._settled(partial(self._intend, list_name, read, sync, identity))):
                        break
                    for is_uncertain in (True, False):
                        self._send(list_name, delivery, [e for e in entries if e.is_uncertain is is_uncertain])
        if delivery.refusal:
            self.report.refused[f"{self.trigger.name} on {list_name}"] = delivery.refusal

    def _leaving(self, list_name: str, _sync: Sync, identity: Identity) -> list[Entry]:
        rows = self.warehouse.execute(
            _LEAVING.format(limit=identity.spec.batch_rows), [*self._mine(), list_name, self.now()]
        )
        return [self._entry(list_name, ("remove", row[0]), json.loads(row[1]), {}, row[2:]) for row in rows]

    def _entering(self, list_name: str, sync: Sync, identity: Identity) -> list[Entry]:
        rows = self.warehouse.execute(
            _ENTERING.format(
                columns="".join(f", profiles.{quoted(column)}" for column in sync.fields),
                consented=consented(sync, f"and {_ABSENT}"),
                absent=_ABSENT,  # of all people it took five times as long, for each list
                limit=identity.spec.batch_rows,
            ),
            [*self._mine(), list_name, self.now()],
        )
        entries = []
        for profile_id, operation_id, pending, intents, attempts, is_consented, *values in rows:
            given = {name: scalar(value) for name, value in zip(sync.fields.values(), values, strict=True)}
            found_by = identity.found_by({name: given[name] for name in identity.columns}) if is_consented else {}
            fields = {name: given[name] for column, name in sync.fields.items() if column not in identity.unreadable}
            wrong = (
                ("" if is_consented else "revoked")
                or (flaw({**found_by, **fields}, identity.spec.required) if found_by else "no_identifier")
                or readable(identity.spec, found_by, fields)
            )
            if wrong:
                self._refuse(list_name, profile_id, wrong)
                continue
            known = (operation_id, pending, intents, attempts)
            entries.append(self._entry(list_name, ("add", profile_id), found_by, fields, known))
        return entries

    def _refuse(self, list_name: str, profile_id: str, code: str) -> None:
        """Don't put on; whoever may be there from before is taken off."""
        self.warehouse.execute(
            f"update activation.list_members set is_wanted = false, reason = ?, code = ? where {_KEY}",
            [code, code, *self._key(list_name, profile_id)],
        )
        self._counts[code] += 1

    def _entry(
        self,
        list_name: str,
        what: tuple[Operation, str],
        found_by: Mapping[str, Scalar],
        fields: Mapping[str, Scalar],
        known: Sequence[Any],
    ) -> Entry:
        (operation, profile_id), (operation_id, pending, intents, attempts) = what, known
        is_again = pending == operation  # the same intent without an answer: sent again under the same id
        count = intents if is_again else intents + 1
        # The epoch: a row that went with its removal counts from the beginning when they come back.
        seed = f"{self.lease.epoch}/{self.trigger.name}/{list_name}/{profile_id}/{count}/{operation}"
        id_ = operation_id if is_again else member_of({"operation": seed})
        change = Change(id_, operation, member_of(found_by), found_by, fields)
        return Entry(profile_id, change, count, attempts, is_uncertain=pending is not None)

    def _intend(self, list_name: str, read: Read, sync: Sync, identity: Identity) -> list[Entry]:
        entries = read(list_name, sync, identity)
        for entry in entries:
            self.warehouse.execute(
                "update activation.list_members set is_held = true, identifiers = ?, pending_operation = ?, "
                "sent_at = ?, operation_id = ?, intents = ?, attempts = attempts + 1, "
                f"acknowledged_at = case when ? then acknowledged_at end where {_KEY}",
                [
                    json.dumps(dict(entry.change.identifiers)), entry.change.operation, self.now(),
                    entry.change.operation_id, entry.intents,
                    entry.change.operation == "remove",  # a platform without time for it still has them
                    *self._key(list_name, entry.profile_id),
                ],
            )  # fmt: skip
        return entries

    def _send(self, list_name: str, delivery: Delivery, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        is_uncertain = entries[0].is_uncertain
        receipts = delivery.deliver([entry.change for entry in entries], is_uncertain=is_uncertain)
        self._settled(partial(self._record, list_name, entries, receipts))

    def _record(self, list_name: str, entries: Sequence[Entry], receipts: Sequence[Receipt]) -> None:
        for entry, receipt in zip(entries, receipts, strict=True):
            self._note(list_name, entry, receipt)

    def _note(self, list_name: str, entry: Entry, receipt: Receipt) -> None:
        is_removal, outcome = entry.change.operation == "remove", receipt.outcome
        settled = "pending_operation = null, operation_id = null, attempts = 0"
        now, wait = self.now(), min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(entry.attempts, 10))
        values: list[object] = []
        later: list[object] = [now + timedelta(seconds=wait)]
        if outcome is Outcome.DELIVERED:
            self.warehouse.execute(_ANSWERED, [entry.change.operation, now, *self._key(list_name, entry.profile_id)])
            what = "is_held = false, acknowledged_at = null" if is_removal else "acknowledged_at = ?"
            done, values = f"{what}, code = null, {settled}", [] if is_removal else [now]
        elif outcome is Outcome.REJECTED and not is_removal:
            done = f"is_held = false, is_wanted = false, {settled}"
        elif outcome is Outcome.DEFERRED and not entry.is_uncertain:
            held = "" if is_removal else "is_held = false, "
            done, values = f"{held}pending_operation = null, wake_at = ?", later
        else:
            done, values = "wake_at = ?", later
        self.warehouse.execute(
            f"update activation.list_members set {done} where {_KEY}",
            [*values, *self._key(list_name, entry.profile_id)],
        )
        self._counts[f"{entry.change.operation}_{outcome}"] += 1

    def _mine(self) -> list[str]:
        return [self.trigger.name, self.trigger.list.destination if self.trigger.list else ""]

    def _key(self, list_name: str, profile_id: str) -> list[str]:
        return [self._mine()[1], list_name, profile_id]

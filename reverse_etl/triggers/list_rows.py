"""`activation.list_members` read and written for a dispatcher, many rows in a statement."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reverse_etl.consent import consented
from reverse_etl.destination import Change, Operation, Outcome, Receipt, Scalar
from reverse_etl.identity import Identity, member_of
from reverse_etl.payload import flaw, readable, scalar
from reverse_etl.sync import Sync
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse, quoted

MOST = 200  # rows of one transaction, of all lists together
FIRST_WAIT, LONGEST_WAIT = 30, 3_600
LEAVES = "not is_wanted and is_held"
AWAITED = "is_wanted and (acknowledged_at is null or pending_operation is not null)"
_MINE = "members.trigger_name = ? and members.destination = ?"  # a trigger may have had another destination
_KEY = (
    "members.destination = given.destination and members.list_name = given.list_name "
    "and members.profile_id = given.profile_id"
)
_SETTLED = "pending_operation = null, operation_id = null, attempts = 0"
_IS_DUE = "profile_id in (select profile_id from due where length(profile_id) > 0)"  # a filter: see `share_a_number`
# Who decided: the trigger that put on; of who leaves the one that took off, or put on if time or consent ended it.
# Once for each intent: with the answer it is over.
_ANSWERED = f"""
insert into activation.list_answers
select
    members.operation_id,
    case
        when members.is_wanted or members.reason in ('expired', 'revoked') then members.trigger_name
        else coalesce(members.reason, members.trigger_name)
    end,
    members.list_name, members.profile_id, given.operation, members.decided_at, members.sent_at, given.moment
from activation.list_members as members
inner join {{given}} on {_KEY}
where members.operation_id is not null and members.sent_at is not null
"""
_LEAVING = f"""
select
    members.list_name, members.profile_id, members.identifiers, members.operation_id, members.pending_operation,
    members.intents, members.attempts
from activation.list_members as members
where {_MINE} and members.list_name in ({{lists}}) and {LEAVES} and members.wake_at <= ?
order by members.decided_at, members.list_name, members.profile_id limit {MOST}
"""
_ENTERING = f"""
with due as (
    select members.list_name, members.profile_id, members.operation_id, members.pending_operation, members.intents,
        members.attempts, members.decided_at
    from activation.list_members as members
    where {_MINE} and members.list_name in ({{lists}}) and {AWAITED} and members.wake_at <= ?
    order by members.decided_at, members.list_name, members.profile_id limit {MOST}
)
select
    due.list_name, due.profile_id, due.operation_id, due.pending_operation, due.intents, due.attempts,
    coalesce(consented.is_granted, 0) = 1{{columns}}
from due
left join ({{consented}}) as consented on due.profile_id = consented.profile_id
left join (select * from profiles.profiles where {_IS_DUE}) as profiles on due.profile_id = profiles.profile_id
order by due.decided_at, due.list_name, due.profile_id
"""
_INTEND = f"""
update activation.list_members as members set
    is_held = true, identifiers = given.identifiers, pending_operation = given.operation, sent_at = given.moment,
    operation_id = given.operation_id, intents = given.intents, attempts = members.attempts + 1,
    -- a platform without time for a removal still has them
    acknowledged_at = case when given.operation = 'remove' then members.acknowledged_at end
from {{given}} where {_KEY}
"""
_REFUSE = f"""
update activation.list_members as members set is_wanted = false, reason = given.code, code = given.code
from {{given}} where {_KEY}
"""

Refused = tuple[str, str, str]  # list, person, why


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who is about to be put on a list or taken off it."""

    list_name: str
    profile_id: str
    change: Change
    intents: int
    attempts: int
    is_uncertain: bool


@dataclass(frozen=True)
class ListRows:
    """The rows of one trigger at its destination."""

    warehouse: Warehouse
    trigger: Trigger
    epoch: int  # of the lease
    now: Callable[[], datetime]
    counts: Counter[str]

    @property
    def destination(self) -> str:
        return self.trigger.list.destination if self.trigger.list else ""

    def lists(self, which: str) -> list[str]:
        """Lists of which something is due."""
        found = self.warehouse.execute(
            f"select distinct list_name from activation.list_members as members where {_MINE} and wake_at <= ? "
            f"and ({which}) order by 1",
            [self.trigger.name, self.destination, self.now()],
        )
        return [name for (name,) in found]

    def intend(self, operation: Operation, identities: Mapping[str, Identity]) -> tuple[list[Entry], bool]:
        """Choose who leaves or enters these lists next, and write down that it is about to be tried.

        Also whether these are the last that are due now: to look once more would cost as much again.
        """
        entries, is_rest = self._entering(identities) if operation == "add" else self._leaving(identities)
        if entries:
            columns = {"identifiers": "text", "operation": "text", "operation_id": "text", "intents": "bigint"}
            now = self.now()
            rows = [
                (*_who(entry, now), json.dumps(dict(entry.change.identifiers)), entry.change.operation,
                 entry.change.operation_id, entry.intents) for entry in entries
            ]  # fmt: skip
            self._write(_INTEND, columns, rows)
        return entries, is_rest

    def _leaving(self, identities: Mapping[str, Identity]) -> tuple[list[Entry], bool]:
        rows = self._read(_LEAVING, identities)
        entries = [self._entry((name, "remove", who), json.loads(by), {}, known) for name, who, by, *known in rows]
        return entries, len(rows) < MOST

    def _entering(self, identities: Mapping[str, Identity]) -> tuple[list[Entry], bool]:
        sync = self.trigger.list_sync("")
        sql = _ENTERING.replace("{columns}", "".join(f", profiles.{quoted(column)}" for column in sync.fields))
        sql = sql.replace("{consented}", consented(sync, f"and {_IS_DUE}"))
        while rows := self._read(sql, identities):
            entries, refused = self._judged(rows, sync, identities)
            self._refuse(refused)
            if entries or len(rows) < MOST:
                return entries, len(rows) < MOST
        return [], True

    def _judged(
        self, rows: Sequence[Sequence[Any]], sync: Sync, identities: Mapping[str, Identity]
    ) -> tuple[list[Entry], list[Refused]]:
        """Who can be put on a list, and who can't, with the reason."""
        entries: list[Entry] = []
        refused: list[Refused] = []
        for name, who, operation_id, pending, intents, attempts, is_consented, *values in rows:
            identity = identities[name]
            given = {field: scalar(value) for field, value in zip(sync.fields.values(), values, strict=True)}
            found_by = identity.found_by({field: given[field] for field in identity.columns}) if is_consented else {}
            fields = {field: given[field] for column, field in sync.fields.items() if column not in identity.unreadable}
            wrong = (
                ("" if is_consented else "revoked")
                or (flaw({**found_by, **fields}, identity.spec.required) if found_by else "no_identifier")
                or readable(identity.spec, found_by, fields)
            )
            if wrong:
                refused.append((name, who, wrong))
            else:
                known = (operation_id, pending, intents, attempts)
                entries.append(self._entry((name, "add", who), found_by, fields, known))
        return entries, refused

    def _read(self, sql: str, identities: Mapping[str, Identity]) -> list[tuple[Any, ...]]:
        lists = ", ".join("?" for _ in identities)
        mine = [self.trigger.name, self.destination, *identities, self.now()]
        return self.warehouse.execute(sql.replace("{lists}", lists), mine)

    def _refuse(self, refused: Sequence[Refused]) -> None:
        """Don't put on; whoever may be there from before is taken off."""
        if refused:
            now = self.now()
            self._write(_REFUSE, {"code": "text"}, [(name, who, now, code) for name, who, code in refused])
            self.counts.update(code for _, _, code in refused)

    def _entry(
        self,
        what: tuple[str, Operation, str],
        found_by: Mapping[str, Scalar],
        fields: Mapping[str, Scalar],
        known: Sequence[Any],
    ) -> Entry:
        (list_name, operation, profile_id), (operation_id, pending, intents, attempts) = what, known
        is_again = pending == operation  # the same intent without an answer: sent again under the same id
        count = intents if is_again else intents + 1
        # The epoch: a row that went with its removal counts from the beginning when they come back.
        seed = f"{self.epoch}/{self.trigger.name}/{list_name}/{profile_id}/{count}/{operation}"
        id_ = operation_id if is_again else member_of({"operation": seed})
        change = Change(id_, operation, member_of(found_by), found_by, fields)
        return Entry(list_name, profile_id, change, count, attempts, is_uncertain=pending is not None)

    def record(self, answered: Sequence[tuple[Entry, Receipt, datetime]]) -> None:
        """Write down what came of each."""
        delivered = [(entry, at) for entry, receipt, at in answered if receipt.outcome is Outcome.DELIVERED]
        if delivered:
            rows = [(*_who(entry, at), entry.change.operation) for entry, at in delivered]
            self._write(_ANSWERED, {"operation": "text"}, rows)
        alike: dict[str, list[tuple[object, ...]]] = {}
        for entry, receipt, at in answered:
            wait = timedelta(seconds=min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(entry.attempts, 10)))
            alike.setdefault(_done(entry, receipt.outcome), []).append((*_who(entry, at), at + wait))
            self.counts[f"{entry.change.operation}_{receipt.outcome}"] += 1
        for done, later in alike.items():
            what = f"update activation.list_members as members set {done} from {{given}} where {_KEY}"
            self._write(what, {"later": "timestamp"}, later)

    def _write(self, sql: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
        """Run a statement that joins `given`: destination, then of each the list, person, moment and these columns.

        Every parameter is one of the relation: engines number those of an update in orders of their own.
        """
        named = {"destination": "text", "list_name": "text", "profile_id": "text", "moment": "timestamp", **columns}
        row = f"({', '.join(f'cast(? as {type_})' for type_ in named.values())})"
        given = f"(values {', '.join([row] * len(rows))}) as given ({', '.join(named)})"
        self.warehouse.execute(sql.format(given=given), [value for row in rows for value in (self.destination, *row)])


def _done(entry: Entry, outcome: Outcome) -> str:
    """Write what an answer makes of a row, as SQL."""
    is_removal = entry.change.operation == "remove"
    if outcome is Outcome.DELIVERED:
        what = "is_held = false, acknowledged_at = null" if is_removal else "acknowledged_at = given.moment"
        return f"{what}, code = null, {_SETTLED}"
    if outcome is Outcome.REJECTED and not is_removal:
        return f"is_held = false, is_wanted = false, {_SETTLED}"
    if outcome is Outcome.DEFERRED and not entry.is_uncertain:
        held = "" if is_removal else "is_held = false, "
        return f"{held}pending_operation = null, wake_at = given.later"
    return "wake_at = given.later"


def _who(entry: Entry, at: datetime) -> tuple[str, str, datetime]:
    return entry.list_name, entry.profile_id, at

"""What each destination may hold: the only state reverse ETL keeps.

A row is a member that was ever sent: how the destination finds it, as delivered, and the fingerprint of
what was last accepted. Never the payload: the journal must not become a second copy of personal data.
The rows of people who are gone from a destination are deleted with the removal's receipt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reverse_etl.destination import Outcome
from reverse_etl.left_over import leave_over
from reverse_etl.tables import BATCH, RUN, TABLES, open_journal
from reverse_etl.warehouse import Warehouse

__all__ = ["TABLES", "Entry", "intend", "open_journal", "record", "rest"]

HEX = re.compile(r"[0-9a-f]{0,64}|g")

_PLANNED = f"""(
    select plan.*, run.sync_name, run.moment, run.is_one_way, batch.identifiers, batch.outcome, batch.code,
        batch.is_part, batch.fields
    from {BATCH} as batch
    cross join {RUN} as run
    inner join activation.plan as plan on plan.run_id = run.run_id and plan.position = batch.position
)"""
# Where the batch lies among the members, so that only that part of the journal is read: replaced by hex digits.
_WITHIN = "journal.member_id between '<first>' and '<last>'"
# No parameter stands in an `update ... from`: DuckDB doesn't number them in the order they are written.
_LOG = f"""
insert into activation.attempts (
    run_id, sync_name, position, member_id, operation_id, operation, outcome, code, attempted_at, record_key, profile_id
)
select
    run_id, sync_name, position, member_id, operation_id, operation, outcome, code, moment, record_key, profile_id
from {_PLANNED} as answer
"""
_INTEND_KNOWN = f"""
update activation.journal as journal set
    is_held = journal.is_held
        or (not intent.is_one_way and coalesce(journal.pending_operation <> 'remove', false)),
    delivered_fingerprint =
        case when journal.pending_operation is null then journal.delivered_fingerprint end,
    intent_count = case when intent.is_resend then journal.intent_count + 1 else 1 end,
    record_key = coalesce(intent.record_key, journal.record_key),
    profile_id = coalesce(intent.profile_id, journal.profile_id),
    identifiers = case
        when intent.operation = 'remove' and intent.fingerprint is null then journal.identifiers
        else coalesce(intent.identifiers, journal.identifiers)
    end,
    pending_operation = intent.operation,
    -- a removal of some identifiers is another one than a removal of all
    pending_fingerprint = coalesce(intent.fingerprint, md5(intent.kept)),
    pending_fields = intent.fields,
    operation_id = intent.operation_id,
    intended_at = intent.moment
from {_PLANNED} as intent
where {_WITHIN} and journal.sync_name = intent.sync_name and journal.member_id = intent.member_id
"""
_INTEND_NEW = f"""
insert into activation.journal (
    sync_name, member_id, record_key, profile_id, identifiers, is_held,
    pending_operation, pending_fingerprint, pending_fields, operation_id, intent_count, intended_at
)
select
    intent.sync_name, intent.member_id, intent.record_key, intent.profile_id, intent.identifiers,
    false, intent.operation, intent.fingerprint, intent.fields, intent.operation_id, 1, intent.moment
from {_PLANNED} as intent
"""
_UNLESS_KNOWN = f"""
where not exists (
    select 1 from activation.journal as journal
    where {_WITHIN} and journal.sync_name = intent.sync_name and journal.member_id = intent.member_id
)
"""
_IS_ACCEPTED = f"answer.outcome = '{Outcome.DELIVERED}'"
# A removal of who left has no fingerprint, and is asked for until it is done.
_IS_REFUSED = f"answer.outcome = '{Outcome.REJECTED}' and answer.fingerprint is not null"
_SETTLE = f"""
update activation.journal as journal set
    is_held = case
        when {_IS_ACCEPTED} or coalesce(answer.is_part, false) then not answer.is_one_way
        else journal.is_held
    end,
    delivered_fingerprint = case
        when {_IS_ACCEPTED} then answer.fingerprint
        when not coalesce(answer.is_part, false) then journal.delivered_fingerprint
    end,
    rejected_fingerprint = case
        when {_IS_ACCEPTED} then null
        when {_IS_REFUSED} then answer.fingerprint
        else journal.rejected_fingerprint
    end,
    delivered_fields = case when {_IS_ACCEPTED} then journal.pending_fields else journal.delivered_fields end,
    pending_operation = null, pending_fingerprint = null, pending_fields = null, operation_id = null,
    intent_count = null,
    answered_at = answer.moment
from {_PLANNED} as answer
where {_WITHIN} and journal.sync_name = answer.sync_name and journal.member_id = answer.member_id and (
    answer.outcome in ('{Outcome.DELIVERED}', '{Outcome.REJECTED}')
    or (answer.outcome = '{Outcome.DEFERRED}' and journal.intent_count = 1)
)
"""
_FORGET_REMOVED = f"""
delete from activation.journal as journal
using {_PLANNED} as answer
where {_WITHIN} and journal.sync_name = answer.sync_name and journal.member_id = answer.member_id
    and answer.operation = 'remove' and answer.fingerprint is null and {_IS_ACCEPTED}
"""
# A person who was never delivered leaves no identifiers behind, and without a rejection no row at all.
_FORGET_UNTOUCHED = f"""
delete from activation.journal as journal
using {_PLANNED} as answer
where {_WITHIN} and journal.sync_name = answer.sync_name and journal.member_id = answer.member_id
    and not journal.is_held and journal.pending_operation is null and journal.rejected_fingerprint is null
    and journal.delivered_fingerprint is null
"""
_FORGET_IDENTIFIERS = f"""
update activation.journal as journal set identifiers = null, delivered_fields = null
from {_PLANNED} as answer
where {_WITHIN} and journal.sync_name = answer.sync_name and journal.member_id = answer.member_id
    and not journal.is_held and journal.pending_operation is null
"""


# Whom the destination, or the look before sending, would not have: a reason and a count, never a payload.
_BURY = (
    f"""
    update activation.dead_letters as letter set
        operation = answer.operation, fingerprint = answer.fingerprint, code = answer.code,
        record_key = answer.record_key, last_rejected_at = answer.moment, times = letter.times + 1
    from {_PLANNED} as answer
    where letter.sync_name = answer.sync_name and letter.member_id = answer.member_id
        and answer.outcome = '{Outcome.REJECTED}'
    """,
    f"""
    insert into activation.dead_letters
    select sync_name, member_id, record_key, operation, fingerprint, code, moment, moment, 1
    from {_PLANNED} as answer
    where outcome = '{Outcome.REJECTED}' and not exists (
        select 1 from activation.dead_letters as letter
        where letter.sync_name = answer.sync_name and letter.member_id = answer.member_id
    )
    """,
)
_REST = """
delete from activation.dead_letters where sync_name = ? and not exists (
    select 1 from activation.journal as journal
    where journal.sync_name = dead_letters.sync_name and journal.member_id = dead_letters.member_id
        and (journal.rejected_fingerprint is not null or (dead_letters.fingerprint is null and journal.is_held))
)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Whose journal is written, and what is known of the batch at hand."""

    sync_name: str
    run_id: str
    is_one_way: bool = False  # what is done is done for good
    has_removals: bool = True
    has_known: bool = True  # the journal has some of its members already
    within: tuple[str, str] = ("0", "g")  # the least and the greatest member id, in hex digits

    def place(self, sql: str) -> str:
        """Put the bounds of the batch into a statement."""
        first, last = self.within
        if not (HEX.fullmatch(first) and HEX.fullmatch(last)):
            raise ValueError("a member id is made of hex digits")
        return sql.replace("<first>", first).replace("<last>", last)


def _lay_out(
    warehouse: Warehouse, entry: Entry, at: datetime, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Fill the temporary tables."""
    warehouse.execute(
        f"create temporary table if not exists {BATCH} "
        "(position bigint, identifiers text, fields text, outcome text, code text, is_part boolean)"
    )
    warehouse.execute(
        f"create temporary table if not exists {RUN} "
        "(sync_name text, run_id text, moment timestamp, is_one_way boolean)"
    )
    for table in (BATCH, RUN):
        warehouse.execute(f"delete from {table}")
    warehouse.execute(f"insert into {RUN} values (?, ?, ?, ?)", [entry.sync_name, entry.run_id, at, entry.is_one_way])
    warehouse.insert(BATCH, columns, rows)
    if warehouse.is_row_store:
        warehouse.execute(f"analyze {BATCH}")  # else the planner takes it for one row


def intend(warehouse: Warehouse, entry: Entry, intents: Sequence[tuple[int, str, str | None]], at: datetime) -> None:
    """Journal what is about to be sent; commit before sending.

    An intent is a position in the plan, the identifiers as JSON, as they will be delivered, and hashes of the fields
    where they are wanted. An earlier intent without an answer may have been applied: from now on the member counts as
    held, and nothing counts as certainly delivered.
    """
    _lay_out(warehouse, entry, at, ("position", "identifiers", "fields"), intents)
    if entry.has_known:
        warehouse.execute(entry.place(_INTEND_KNOWN))
    warehouse.execute(entry.place(_INTEND_NEW + _UNLESS_KNOWN) if entry.has_known else _INTEND_NEW)


def record(
    warehouse: Warehouse,
    entry: Entry,
    outcomes: Sequence[tuple[int, str, str, bool]],
    at: datetime,
    left_over: Sequence[tuple[int, str, str]] = (),
) -> None:
    """Journal and log the answers: (position in the plan, outcome, reason code, is_part) of each row.

    `left_over`: (position, member id, identifiers as JSON) of what removals that were done left to others.

    Delivered removals are forgotten. A rejected payload is remembered by its fingerprint, so that it is
    not sent again until it changes. A deferred intent is taken back, unless an earlier send of it may have
    been applied. An unknown one stays. Outcomes other than these four are only logged.
    """
    _lay_out(warehouse, entry, at, ("position", "outcome", "code", "is_part"), outcomes)
    # Each step reads the journal once: those that can't matter to this batch are left out.
    said = {outcome for _, outcome, *_ in outcomes}
    if left_over:
        leave_over(warehouse, left_over)
    steps = [_LOG, *((_FORGET_REMOVED,) if entry.has_removals else ()), _SETTLE]
    if said != {Outcome.DELIVERED} or entry.is_one_way:
        steps += [_FORGET_UNTOUCHED, _FORGET_IDENTIFIERS]
    if Outcome.REJECTED in said:
        steps += _BURY
    for step in steps:
        warehouse.execute(entry.place(step))


def rest(warehouse: Warehouse, sync_name: str) -> None:
    """Drop the dead letters of those who were accepted since, or are gone."""
    warehouse.execute(_REST, [sync_name])

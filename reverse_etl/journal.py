"""What each destination may hold: the only state reverse ETL keeps.

A row is a member that was ever sent: how the destination finds it, as delivered, and the fingerprint of
what was last accepted. Never the payload: the journal must not become a second copy of personal data.
The rows of people who are gone from a destination are deleted with the removal's receipt.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from reverse_etl.destination import Outcome
from reverse_etl.warehouse import Warehouse

TABLES = {
    "journal": (
        "sync_name text not null, member_id text not null, record_key text, profile_id text, "
        "identifiers text, "
        # may the destination hold the member? true as soon as that can't be excluded
        "is_held boolean not null, delivered_fingerprint text, rejected_fingerprint text, "
        # an intent without a certain answer
        "pending_operation text, pending_fingerprint text, operation_id text, intent_count bigint, "
        "intended_at timestamp, answered_at timestamp"
    ),
    "plan": (
        "run_id text not null, position bigint not null, operation text not null, reason text, "
        "member_id text not null, record_key text, fingerprint text, operation_id text not null, "
        "is_resend boolean not null, profile_id text"
    ),
    "attempts": (
        "run_id text not null, sync_name text not null, position bigint not null, member_id text not null, "
        "operation_id text not null, operation text not null, outcome text not null, code text, "
        "attempted_at timestamp not null"
    ),
    "sync_runs": (
        "run_id text not null, sync_name text not null, audience text, destination text, purpose text, "
        "channel text, epoch bigint, state text not null, reason text, started_at timestamp not null, "
        "finished_at timestamp, audience_count bigint, desired_count bigint, held_count bigint, "
        "scrap_count bigint, suppressed_count bigint, planned_add bigint, planned_change bigint, "
        "planned_remove bigint, attempted_add bigint, attempted_change bigint, attempted_remove bigint, "
        "succeeded_add bigint, succeeded_change bigint, succeeded_remove bigint, failed_add bigint, "
        "failed_change bigint, failed_remove bigint, is_duplicate_possible boolean"
    ),
    "leases": ("sync_name text primary key, epoch bigint not null, holder text, expires_at timestamp not null"),
}
INDEXES = {
    "journal_member": "unique index {} on activation.journal (sync_name, member_id)",
    "plan_position": "unique index {} on activation.plan (run_id, position)",
    "attempts_run": "index {} on activation.attempts (run_id, position)",
    "sync_runs_run": "unique index {} on activation.sync_runs (run_id)",
}


def open_journal(warehouse: Warehouse) -> None:
    """Create what is missing; harmless when all is there."""
    warehouse.execute("create schema if not exists activation")
    for table, columns in TABLES.items():
        warehouse.execute(f"create table if not exists activation.{table} ({columns})")
    if warehouse.is_row_store:
        for name, definition in INDEXES.items():
            warehouse.execute("create " + definition.format(f"if not exists {name}"))


# Temporary tables: the batch at hand by position in the plan, and one row that says whose it is.
BATCH, RUN = "_activation_batch", "_activation_run"
_PLANNED = f"""(
    select plan.*, run.sync_name, run.moment, batch.identifiers, batch.outcome, batch.code
    from {BATCH} as batch
    cross join {RUN} as run
    inner join activation.plan as plan on plan.run_id = run.run_id and plan.position = batch.position
)"""
# No parameter stands in an `update ... from`: DuckDB doesn't number them in the order they are written.
_LOG = f"""
insert into activation.attempts
select run_id, sync_name, position, member_id, operation_id, operation, outcome, code, moment
from {_PLANNED} as answer
"""
_INTEND_KNOWN = f"""
update activation.journal as journal set
    is_held = journal.is_held or coalesce(journal.pending_operation <> 'remove', false),
    delivered_fingerprint =
        case when journal.pending_operation is null then journal.delivered_fingerprint end,
    intent_count = case when intent.is_resend then journal.intent_count + 1 else 1 end,
    record_key = coalesce(intent.record_key, journal.record_key),
    profile_id = coalesce(intent.profile_id, journal.profile_id),
    identifiers = coalesce(intent.identifiers, journal.identifiers),
    pending_operation = intent.operation,
    pending_fingerprint = intent.fingerprint,
    operation_id = intent.operation_id,
    intended_at = intent.moment
from {_PLANNED} as intent
where journal.sync_name = intent.sync_name and journal.member_id = intent.member_id
"""
_INTEND_NEW = f"""
insert into activation.journal (
    sync_name, member_id, record_key, profile_id, identifiers, is_held,
    pending_operation, pending_fingerprint, operation_id, intent_count, intended_at
)
select
    intent.sync_name, intent.member_id, intent.record_key, intent.profile_id, intent.identifiers,
    false, intent.operation, intent.fingerprint, intent.operation_id, 1, intent.moment
from {_PLANNED} as intent
where not exists (
    select 1 from activation.journal as journal
    where journal.sync_name = intent.sync_name and journal.member_id = intent.member_id
)
"""
_IS_ACCEPTED = f"answer.outcome = '{Outcome.DELIVERED}'"
_IS_REFUSED = f"answer.outcome = '{Outcome.REJECTED}' and answer.operation <> 'remove'"
_SETTLE = f"""
update activation.journal as journal set
    is_held = journal.is_held or {_IS_ACCEPTED},
    delivered_fingerprint =
        case when {_IS_ACCEPTED} then answer.fingerprint else journal.delivered_fingerprint end,
    rejected_fingerprint = case
        when {_IS_ACCEPTED} then null
        when {_IS_REFUSED} then answer.fingerprint
        else journal.rejected_fingerprint
    end,
    pending_operation = null, pending_fingerprint = null, operation_id = null, intent_count = null,
    answered_at = answer.moment
from {_PLANNED} as answer
where journal.sync_name = answer.sync_name and journal.member_id = answer.member_id and (
    answer.outcome in ('{Outcome.DELIVERED}', '{Outcome.REJECTED}')
    or (answer.outcome = '{Outcome.DEFERRED}' and journal.intent_count = 1)
)
"""
_FORGET_REMOVED = f"""
delete from activation.journal as journal
using {_PLANNED} as answer
where journal.sync_name = answer.sync_name and journal.member_id = answer.member_id
    and answer.operation = 'remove' and {_IS_ACCEPTED}
"""
# A person who was never delivered leaves no identifiers behind, and without a rejection no row at all.
_FORGET_UNTOUCHED = f"""
delete from activation.journal as journal
using {_PLANNED} as answer
where journal.sync_name = answer.sync_name and journal.member_id = answer.member_id
    and not journal.is_held and journal.pending_operation is null and journal.rejected_fingerprint is null
"""
_FORGET_IDENTIFIERS = f"""
update activation.journal as journal set identifiers = null
from {_PLANNED} as answer
where journal.sync_name = answer.sync_name and journal.member_id = answer.member_id
    and not journal.is_held and journal.pending_operation is null
"""


def _lay_out(
    warehouse: Warehouse,
    run: tuple[str, str, datetime],
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> None:
    """Fill the temporary tables; `run` is the sync's name, the run's id and the moment."""
    warehouse.execute(
        f"create temporary table if not exists {BATCH} (position bigint, identifiers text, outcome text, code text)"
    )
    warehouse.execute(f"create temporary table if not exists {RUN} (sync_name text, run_id text, moment timestamp)")
    for table in (BATCH, RUN):
        warehouse.execute(f"delete from {table}")
    warehouse.execute(f"insert into {RUN} values (?, ?, ?)", run)
    warehouse.insert(BATCH, columns, rows)
    if warehouse.is_row_store:
        warehouse.execute(f"analyze {BATCH}")  # else the planner takes it for one row


def intend(warehouse: Warehouse, sync_name: str, run_id: str, identifiers: Mapping[int, str], at: datetime) -> None:
    """Journal what is about to be sent; commit before sending.

    `identifiers` maps positions of the plan to the identifiers as JSON, as they will be delivered. An
    earlier intent without an answer may have been applied: from now on the member counts as held, and
    nothing counts as certainly delivered.
    """
    _lay_out(warehouse, (sync_name, run_id, at), ("position", "identifiers"), list(identifiers.items()))
    warehouse.execute(_INTEND_KNOWN)
    warehouse.execute(_INTEND_NEW)


def record(
    warehouse: Warehouse,
    sync_name: str,
    run_id: str,
    outcomes: Sequence[tuple[int, str, str]],
    at: datetime,
) -> None:
    """Journal and log the answers: (position in the plan, outcome, reason code) of each row.

    Delivered removals are forgotten. A rejected payload is remembered by its fingerprint, so that it is
    not sent again until it changes. A deferred intent is taken back, unless an earlier send of it may have
    been applied. An unknown one stays. Outcomes other than these four are only logged.
    """
    _lay_out(warehouse, (sync_name, run_id, at), ("position", "outcome", "code"), outcomes)
    for step in (_LOG, _FORGET_REMOVED, _SETTLE, _FORGET_UNTOUCHED, _FORGET_IDENTIFIERS):
        warehouse.execute(step)

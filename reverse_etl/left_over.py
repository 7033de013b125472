"""What a removal left to others is a member of its own, until it is seen that they are there."""

from collections.abc import Sequence

from reverse_etl.tables import RUN
from reverse_etl.warehouse import Warehouse

LEFT_OVER = "_activation_left_over"  # a temporary table, of removals that were done: identifiers that others have
_LEFT_OVER = f"""(
    select
        left_over.member_id, run.sync_name, run.run_id, run.moment, min(left_over.identifiers) as identifiers,
        min(plan.position) as position, min(plan.reason) as reason,
        min(journal.record_key) as record_key, min(journal.profile_id) as profile_id
    from {LEFT_OVER} as left_over
    cross join {RUN} as run
    inner join activation.plan as plan on plan.run_id = run.run_id and plan.position = left_over.position
    inner join activation.journal as journal
        on journal.sync_name = run.sync_name and journal.member_id = plan.member_id
    group by left_over.member_id, run.sync_name, run.run_id, run.moment
)"""
_LEAVE_OVER = (
    f"""
    update activation.journal as journal set
        is_held = true, identifiers = coalesce(journal.identifiers, rest.identifiers)
    from {_LEFT_OVER} as rest
    where journal.sync_name = rest.sync_name and journal.member_id = rest.member_id
    """,
    f"""
    insert into activation.plan (run_id, position, operation, reason, member_id, record_key, operation_id, is_resend)
    select run_id, -position, 'release', reason, member_id, record_key, '', false from {_LEFT_OVER} as rest
    where not exists (
        select 1 from activation.journal as journal
        where journal.sync_name = rest.sync_name and journal.member_id = rest.member_id
    )
    """,
    f"""
    insert into activation.journal (
        sync_name, member_id, record_key, profile_id, identifiers, is_held, answered_at
    )
    select sync_name, member_id, record_key, profile_id, identifiers, true, moment from {_LEFT_OVER} as rest
    where not exists (
        select 1 from activation.journal as journal
        where journal.sync_name = rest.sync_name and journal.member_id = rest.member_id
    )
    """,
)


def leave_over(warehouse: Warehouse, rows: Sequence[tuple[int, str, str]]) -> None:
    """Journal (position of the removal, member id, identifiers as JSON), before the removals are forgotten."""
    warehouse.execute(
        f"create temporary table if not exists {LEFT_OVER} (position bigint, member_id text, identifiers text)"
    )
    warehouse.execute(f"delete from {LEFT_OVER}")
    warehouse.insert(LEFT_OVER, ("position", "member_id", "identifiers"), rows)
    for step in _LEAVE_OVER:
        warehouse.execute(step)

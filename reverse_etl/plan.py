"""The difference between who should be at a destination and who may be there, as one SQL statement."""

from collections import Counter
from dataclasses import asdict, dataclass

from reverse_etl.desired import DESIRED, Desired, lay_out
from reverse_etl.destination import Spec
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

# A journal row counts against the audience as soon as the destination may hold it, answered or not.
_LEAVES = "(desired.member_id is null and (journal.is_held or journal.pending_operation is not null))"
# Upsert: whoever leaves the audience may stay, but not without consent nor under a replaced identifier.
_MAY_STAY = f"""
where not (compared.operation = 'remove' and coalesce(consented.is_granted, 0) = 1
    and compared.held_key not in (select record_key from {DESIRED} where is_desired))
"""
# Not delivered as it is now, and not rejected as it is now. `<>` would miss nulls.
_IS_DUE = """(desired.member_id is not null and (
    journal.member_id is null
    or journal.pending_operation is not null
    or (
        journal.delivered_fingerprint is distinct from desired.fingerprint
        and journal.rejected_fingerprint is distinct from desired.fingerprint
    )
))"""
# Rejected, and gone from the audience: nothing to remove, nothing to remember.
_IS_FORGOTTEN = "(desired.member_id is null and not journal.is_held and journal.pending_operation is null)"
# The same member under another key or profile: nothing to send, but the journal follows.
_IS_MOVED = """(desired.member_id is not null and journal.member_id is not null and (
    journal.record_key is distinct from desired.record_key
    or journal.profile_id is distinct from desired.profile_id
))"""

_DIFFERENCE = """
insert into activation.plan (
    run_id, position, operation, reason, member_id, record_key, profile_id, fingerprint,
    operation_id, is_resend
)
with

desired as (select * from {desired} where is_desired),

journal as (select * from activation.journal where sync_name = ?),

compared as (

    select
        coalesce(desired.member_id, journal.member_id) as member_id,
        desired.record_key,
        desired.profile_id,
        desired.fingerprint,
        journal.pending_operation,
        journal.operation_id as pending_id,
        journal.record_key as held_key,
        journal.profile_id as held_profile,
        case
            when {leaves} then 'remove'
            when desired.member_id is null then 'forget'
            when {is_due} and journal.is_held then 'change'
            when {is_due} then 'add'
            else 'follow'
        end as operation,
        -- the same intent without an answer: sent again under the same id
        journal.pending_operation is not null
            and (journal.pending_operation = 'remove') = (desired.member_id is null)
            and journal.pending_fingerprint is not distinct from desired.fingerprint as is_resend
    from desired
    full outer join journal on desired.member_id = journal.member_id
    where {leaves} or {is_due} or {is_forgotten} or {is_moved}

),

consented as (

    select profile_id, min(case when is_granted then 1 else 0 end) as is_granted
    from profiles.consents
    where purpose = ? and channel = ?
        and profile_id in (select held_profile from compared where operation = 'remove')
    group by profile_id

),

reasoned as (

    select
        compared.*,
        case
            when compared.operation = 'remove' and consented.is_granted = 0 then 'revoked'
            when compared.operation = 'remove' then 'left'
        end as reason
    from compared
    left join consented on compared.held_profile = consented.profile_id
    {may_stay}

)

select
    cast(? as varchar),
    row_number() over (
        order by
            case
                when reason = 'revoked' then 1
                when operation = 'remove' then 2
                when operation in ('add', 'change') then 3
                else 4
            end,
            member_id
    ),
    case when is_resend then pending_operation else operation end,
    reason,
    member_id,
    record_key,
    profile_id,
    fingerprint,
    -- The epoch makes a later return of the same payload a new operation, not a replay of the old one.
    case
        when is_resend then pending_id
        else md5(concat(cast(? as varchar), '/', member_id, '/', operation, '/', fingerprint))
    end,
    is_resend
from reasoned
"""

_TIDY = (
    """
    delete from activation.journal as journal
    using activation.plan as plan
    where plan.run_id = ? and plan.operation = 'forget'
        and journal.sync_name = ? and journal.member_id = plan.member_id
    """,
    """
    update activation.journal as journal set record_key = plan.record_key, profile_id = plan.profile_id
    from activation.plan as plan
    where plan.run_id = ? and plan.operation = 'follow'
        and journal.sync_name = ? and journal.member_id = plan.member_id
    """,
)


@dataclass(frozen=True, slots=True)
class Plan(Desired):
    """What one run would do, in counts of members."""

    add: int
    change: int
    remove: int  # all removals
    revoked: int  # those of people whose consent was taken back: never held up
    held: int  # members the destination may hold now

    @property
    def size(self) -> int:
        return self.add + self.change + self.remove


def plan(warehouse: Warehouse, sync: Sync, spec: Spec, run_id: str, epoch: int) -> Plan:
    """Write the run's changes to `activation.plan`, removals first, and tidy the journal.

    Call it inside a transaction. Raises PlanRefused when the audience can't be planned.
    """
    desired = lay_out(warehouse, sync, spec)
    difference = _DIFFERENCE.format(
        desired=DESIRED,
        leaves=_LEAVES,
        is_due=_IS_DUE,
        is_forgotten=_IS_FORGOTTEN,
        is_moved=_IS_MOVED,
        may_stay=_MAY_STAY if sync.mode == "upsert" else "",
    )
    warehouse.execute(difference, [sync.name, sync.purpose, sync.channel, run_id, f"{sync.name}/{epoch}"])
    warehouse.execute(f"drop table {DESIRED}")
    if warehouse.is_row_store:
        warehouse.execute("analyze activation.plan")
    counts = _planned(warehouse, run_id)
    if counts.pop("forget") + counts.pop("follow"):
        for tidy in _TIDY:
            warehouse.execute(tidy, [run_id, sync.name])
        warehouse.execute(
            "delete from activation.plan where run_id = ? and operation in ('forget', 'follow')", [run_id]
        )
    return Plan(**asdict(desired), **counts, held=_held(warehouse, sync))


def _planned(warehouse: Warehouse, run_id: str) -> Counter[str]:
    counts = Counter(add=0, change=0, remove=0, revoked=0, forget=0, follow=0)
    for operation, reason, count in warehouse.execute(
        "select operation, reason, count(*) from activation.plan where run_id = ? group by operation, reason",
        [run_id],
    ):
        counts[operation] += count
        if reason == "revoked":
            counts["revoked"] += count
    return counts


def _held(warehouse: Warehouse, sync: Sync) -> int:
    return int(
        warehouse.execute(
            "select count(*) from activation.journal "
            "where sync_name = ? and (is_held or pending_operation is not null)",
            [sync.name],
        )[0][0]
    )

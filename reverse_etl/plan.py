"""The difference between who should be at a destination and who may be there, as one SQL statement."""

from dataclasses import asdict, dataclass

from reverse_etl.desired import CONSENTED, DESIRED, Desired, lay_out
from reverse_etl.destination import Spec
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

# A journal row counts against the audience as soon as the destination may hold it, answered or not.
_LEAVES = "desired.member_id is null and (journal.is_held or journal.pending_operation is not null)"
# Upsert: whoever leaves the audience may stay, but not without consent nor under a replaced identifier.
_MUST_LEAVE = f""" and (
    coalesce(consented.is_granted, 0) = 0
    or journal.record_key in (select record_key from {DESIRED} where is_desired)
)"""

_DIFFERENCE = """
insert into activation.plan (
    run_id, position, operation, reason, member_id, record_key, profile_id, fingerprint,
    operation_id, is_resend
)
with

consented as ({consented}),

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
        case
            when desired.member_id is null then 'remove'
            when coalesce(journal.is_held, false) then 'change'
            else 'add'
        end as operation,
        case
            when desired.member_id is null and consented.is_granted = 0 then 'revoked'
            when desired.member_id is null then 'left'
        end as reason,
        -- the same intent without an answer: sent again under the same id
        journal.pending_operation is not null
            and (journal.pending_operation = 'remove') = (desired.member_id is null)
            and journal.pending_fingerprint is not distinct from desired.fingerprint as is_resend
    from desired
    full outer join journal on desired.member_id = journal.member_id
    left join consented on journal.profile_id = consented.profile_id
    where ({leaves})
        or (desired.member_id is not null and (
            journal.member_id is null
            or journal.pending_operation is not null
            or (
                -- `<>` would miss nulls
                journal.delivered_fingerprint is distinct from desired.fingerprint
                and journal.rejected_fingerprint is distinct from desired.fingerprint
            )
        ))

)

select
    cast(? as varchar),
    row_number() over (
        order by
            case when reason = 'revoked' then 1 when operation = 'remove' then 2 else 3 end,
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
from compared
"""

# Rejections of people who left are forgotten; rows whose key or profile changed are followed, unsent.
_FORGET = """
delete from activation.journal as journal
where journal.sync_name = ? and not journal.is_held and journal.pending_operation is null
    and not exists (
        select 1 from {desired} as desired
        where desired.is_desired and desired.member_id = journal.member_id
    )
"""
_FOLLOW = """
update activation.journal as journal
set record_key = desired.record_key, profile_id = desired.profile_id
from {desired} as desired
where journal.sync_name = ? and desired.is_desired and journal.member_id = desired.member_id
    and (
        journal.record_key is distinct from desired.record_key
        or journal.profile_id is distinct from desired.profile_id
    )
"""


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
    leaves = _LEAVES + (_MUST_LEAVE if sync.mode == "upsert" else "")
    warehouse.execute(
        _DIFFERENCE.format(consented=CONSENTED, desired=DESIRED, leaves=leaves),
        [sync.purpose, sync.channel, sync.name, run_id, f"{sync.name}/{epoch}"],
    )
    for tidy in (_FORGET, _FOLLOW):
        warehouse.execute(tidy.format(desired=DESIRED), [sync.name])
    warehouse.execute(f"drop table {DESIRED}")
    return Plan(**asdict(desired), **_planned(warehouse, run_id), held=_held(warehouse, sync))


def _planned(warehouse: Warehouse, run_id: str) -> dict[str, int]:
    counts = dict.fromkeys(("add", "change", "remove", "revoked"), 0)
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

"""The difference between who should be at a destination and who may be there, as one SQL statement."""

from collections import Counter
from dataclasses import asdict, dataclass

from reverse_etl.consent import consented
from reverse_etl.desired import DESIRED, Desired
from reverse_etl.parts import is_counting
from reverse_etl.policy import Policy, excluded_sql
from reverse_etl.shared import keep
from reverse_etl.split import HOLDOUT
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

ONE_WAY = {"remove", "append_events"}  # what is done is done: nobody is held, nobody leaves
ONCE = {"insert", "add", "append_events"}  # delivered once, whatever changes later

# A journal row counts against the audience as soon as the destination may hold it, answered or not.
_LEAVES = "(desired.member_id is null and (journal.is_held or journal.pending_operation is not null))"
_LEAVES_ONE_WAY = "(desired.member_id is null and journal.is_held)"  # held since before the mode was this
# Not mirrored: whoever leaves the audience may stay, but not without consent, nor under a replaced identifier,
# nor who is kept out by a list, a holdout or a doubt who they are.
_MAY_STAY = f"""
where not (compared.operation = 'remove' and coalesce(consented.is_granted, 0) = 1
    and not ({{excluded}})
    and compared.held_key not in (
        select record_key from {DESIRED} where is_desired or is_excluded or arm = '{HOLDOUT}' or not is_sure
    ))
"""
# Not delivered as it is now, and not rejected as it is now. `<>` would miss nulls.
_IS_DUE = """(desired.member_id is not null and (
    journal.member_id is null
    or journal.pending_operation is not null
    or (
        {is_news}
        and journal.rejected_fingerprint is distinct from desired.fingerprint
    )
))"""
_IS_CHANGED = "journal.delivered_fingerprint is distinct from desired.fingerprint"
_IS_FIRST = "journal.delivered_fingerprint is null"
# Rejected, and gone from the audience: nothing to remove, nothing to remember.
_IS_FORGOTTEN = "(desired.member_id is null and not journal.is_held and journal.pending_operation is null)"
_IS_FORGOTTEN_ONE_WAY = "(desired.member_id is null and not journal.is_held)"
# The same member under another key or profile: nothing to send, but the journal follows.
_IS_MOVED = """(desired.member_id is not null and journal.member_id is not null and (
    journal.record_key is distinct from desired.record_key
    or journal.profile_id is distinct from desired.profile_id
))"""

_DIFFERENCE = """
insert into activation.plan (
    run_id, position, operation, reason, member_id, record_key, profile_id, fingerprint,
    operation_id, is_resend, is_known
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
        journal.member_id is not null as is_known,
        journal.pending_operation,
        journal.operation_id as pending_id,
        journal.record_key as held_key,
        journal.profile_id as held_profile,
        case
            when {leaves} then 'remove'
            when desired.member_id is null then 'forget'
            when {is_due} then {due}
            else 'follow'
        end as operation,
        -- the same intent without an answer: sent again under the same id
        journal.pending_operation is not null
            and (journal.pending_operation = 'remove') = {is_removal}
            and {same} as is_resend
    from desired
    full outer join journal on desired.member_id = journal.member_id
    where {leaves} or {is_due} or {is_forgotten} or {is_moved}

),

consented as ({consented}),

reasoned as (

    select
        compared.*,
        case
            when compared.operation = 'remove' and compared.fingerprint is not null then 'listed'
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
                when reason = 'left' then 2
                when operation in ('add', 'change', 'remove') then 3
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
    is_resend,
    is_known
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
    left: int  # those of people who left the audience, or would no longer be found
    held: int  # members the destination may hold now
    released: int = 0  # those who leave, but others who stay have all their identifiers: nothing is sent

    @property
    def size(self) -> int:
        return self.add + self.change + self.remove


def plan(warehouse: Warehouse, sync: Sync, desired: Desired, run: tuple[str, int], policy: Policy) -> Plan:
    """Write the run's changes to `activation.plan`, removals first, and tidy the journal.

    Call it inside a transaction, after `lay_out`; `run` is the run's id and epoch.
    """
    run_id, epoch = run
    # An event keeps its id for good: sent again after the journal was lost, it is still the same event.
    seed = f"{sync.name}/events" if sync.mode == "append_events" else f"{sync.name}/{epoch}"
    warehouse.execute(_difference(sync, policy), [sync.name, run_id, seed])
    counts = _planned(warehouse, run_id)
    # Where what is listed is removed, nobody stays.
    if counts["remove"] and sync.mode not in ONE_WAY and is_counting(warehouse, sync.name):
        keep(warehouse, sync.name, run_id, seed)
        counts = _planned(warehouse, run_id)
    warehouse.execute(f"drop table {DESIRED}")
    if warehouse.is_row_store:
        warehouse.execute("analyze activation.plan")
    if counts.pop("forget") + counts.pop("follow"):
        for tidy in _TIDY:
            warehouse.execute(tidy, [run_id, sync.name])
        warehouse.execute(
            "delete from activation.plan where run_id = ? and operation in ('forget', 'follow')", [run_id]
        )
    return Plan(**asdict(desired), released=counts.pop("release"), **counts, held=_held(warehouse, sync))


def _difference(sync: Sync, policy: Policy) -> str:
    is_one_way, mode = sync.mode in ONE_WAY, sync.mode
    may_stay = _MAY_STAY.format(excluded=excluded_sql(policy, "compared.held_profile", is_leaving=True))
    due = {"remove": "'remove'", "update": "'change'"}.get(
        mode, "case when journal.is_held then 'change' else 'add' end"
    )
    return _DIFFERENCE.format(
        desired=DESIRED,
        leaves=_LEAVES_ONE_WAY if is_one_way else _LEAVES,
        is_due=_IS_DUE.format(is_news=_IS_FIRST if mode in ONCE else _IS_CHANGED),
        due=due,
        is_forgotten=_IS_FORGOTTEN_ONE_WAY if is_one_way else _IS_FORGOTTEN,
        is_moved=_IS_MOVED,
        is_removal="true" if mode == "remove" else "(desired.member_id is null)",
        # What is delivered once may have arrived in an older form: it must not arrive again in a newer one.
        same="true" if mode in ONCE else "journal.pending_fingerprint is not distinct from desired.fingerprint",
        consented=consented(sync, "and profile_id in (select held_profile from compared where operation = 'remove')"),
        may_stay="" if mode == "mirror" or is_one_way else may_stay,
    )


def _planned(warehouse: Warehouse, run_id: str) -> Counter[str]:
    counts = Counter(add=0, change=0, remove=0, release=0, revoked=0, left=0, forget=0, follow=0)
    for operation, reason, count in warehouse.execute(
        "select operation, reason, count(*) from activation.plan where run_id = ? group by operation, reason",
        [run_id],
    ):
        counts[operation] += count
        if operation == "remove" and reason in {"revoked", "left"}:
            counts[reason] += count
    return counts


def _held(warehouse: Warehouse, sync: Sync) -> int:
    return int(
        warehouse.execute(
            "select count(*) from activation.journal "
            "where sync_name = ? and (is_held or pending_operation is not null)",
            [sync.name],
        )[0][0]
    )

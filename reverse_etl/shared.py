"""Who else has an identifier: counted, so that a removal takes nothing from those who stay.

What a leaver shares with somebody who stays is not sent. It is left to them when they are there; until then it is a
member of its own, so that it can't be lost.
"""

from reverse_etl.desired import DESIRED
from reverse_etl.environment import now
from reverse_etl.lease import Lease
from reverse_etl.warehouse import Warehouse

RELEASED, HELD_BY_OTHERS = "released", "held_by_others"
# Temporary tables: identifiers of those who leave, of those who stay with one of these, and what each leaver keeps.
LEAVING, STAYING, KEPT = "_activation_leaving", "_activation_staying", "_activation_kept"

_LEAVING = f"""
create temporary table {LEAVING} as
select distinct plan.member_id, plan.reason, known.identifier
from activation.plan as plan
inner join activation.member_identifiers as known on plan.member_id = known.member_id
where known.sync_name = ? and plan.run_id = ? and plan.operation in ({{operations}})
    and plan.reason in ('left', 'revoked')
"""
_SHARED = f"""
shared as materialized (

    select distinct known.member_id, known.identifier
    from activation.member_identifiers as known
    where known.sync_name = ?
        and known.identifier in (select identifier from {LEAVING})
        and known.member_id not in (
            select member_id from activation.plan
            where run_id = ? and operation in ('remove', 'release') and reason in ('left', 'revoked')
        )

)
"""
# A row that is to come counts as well, unless it was refused as it is: but it isn't there yet.
_STAYING = f"""
create temporary table {STAYING} as
with {_SHARED}
select shared.identifier, max(case when journal.is_held then 1 else 0 end) as is_there
from shared
left join activation.journal as journal on journal.sync_name = ? and shared.member_id = journal.member_id
left join (select member_id, fingerprint from {DESIRED} where is_desired) as desired
    on shared.member_id = desired.member_id
where journal.is_held or (desired.member_id is not null and (
    journal.member_id is null
    or journal.pending_operation is not null
    or journal.rejected_fingerprint is distinct from desired.fingerprint
))
group by shared.identifier
"""
_THERE = f"""
create temporary table {STAYING} as
with {_SHARED}
select distinct shared.identifier
from shared
inner join activation.journal as journal on journal.sync_name = ? and shared.member_id = journal.member_id
where journal.is_held and journal.pending_operation is distinct from 'remove'
"""
# Who took back consent leaves nothing to somebody who isn't there yet: that one is added anew.
_KEPT = f"""
create temporary table {KEPT} as
with

counted as (

    select
        leaving.member_id,
        string_agg(
            case when staying.identifier is not null then leaving.identifier end, ',' order by leaving.identifier
        ) as kept,
        count(staying.identifier) = count(*) as is_whole
    from {LEAVING} as leaving
    left join {STAYING} as staying
        on leaving.identifier = staying.identifier and (staying.is_there = 1 or leaving.reason = 'left')
    group by leaving.member_id
    having count(staying.identifier) > 0

),

compared as (

    select
        counted.*,
        journal.operation_id as pending_id,
        journal.pending_operation = 'remove'
            and coalesce(journal.pending_fingerprint = md5(counted.kept), false) as is_resend
    from counted
    inner join activation.journal as journal on journal.sync_name = ? and counted.member_id = journal.member_id

)

select
    member_id, kept, is_whole, coalesce(is_resend, false) as is_resend,
    case
        when is_resend then pending_id
        else md5(concat(cast(? as varchar), '/', member_id, '/remove/', kept))
    end as operation_id
from compared
"""
_KEEP = f"""
update activation.plan as plan set
    kept = found.kept,
    operation = case when found.is_whole then 'release' else 'remove' end,
    is_resend = found.is_resend,
    operation_id = found.operation_id
from {KEPT} as found
where plan.run_id = ? and plan.member_id = found.member_id
"""
_RELEASABLE = f"""
create temporary table {KEPT} as
select leaving.member_id
from {LEAVING} as leaving
left join {STAYING} as staying on leaving.identifier = staying.identifier
group by leaving.member_id
having count(staying.identifier) = count(*)
"""
_LOG = f"""
insert into activation.attempts (
    run_id, sync_name, position, member_id, operation_id, operation, outcome, code, attempted_at, record_key
)
select
    plan.run_id, ?, min(plan.position), plan.member_id, min(plan.operation_id), plan.operation,
    '{RELEASED}', '{HELD_BY_OTHERS}', cast(? as timestamp), min(plan.record_key)
from activation.plan as plan
where plan.run_id = ? and plan.operation = 'release' and plan.member_id in (select member_id from {KEPT})
group by plan.run_id, plan.member_id, plan.operation
"""
_RELEASE = f"""
delete from activation.journal where sync_name = ? and member_id in (select member_id from {KEPT})
"""


def keep(warehouse: Warehouse, sync_name: str, run_id: str, seed: str) -> None:
    """Mark in the plan what each who leaves shares with those who stay; call it while `DESIRED` is there."""
    _lay_out(warehouse, sync_name, run_id, _STAYING, "'remove'")
    warehouse.execute(_KEPT, [sync_name, seed])
    warehouse.execute(_KEEP, [run_id])
    _clear(warehouse)


def release(warehouse: Warehouse, sync_name: str, run_id: str, lease: Lease) -> int:
    """Let go, without a word to the destination, of those whose identifiers others have there; how many."""
    if not warehouse.execute(
        "select 1 from activation.plan where run_id = ? and operation = 'release' limit 1", [run_id]
    ):
        return 0
    with warehouse.transaction():
        lease.renew(warehouse)
        _lay_out(warehouse, sync_name, run_id, _THERE, "'release'")
        warehouse.execute(_RELEASABLE)
        count = int(warehouse.execute(f"select count(*) from {KEPT}")[0][0])
        warehouse.execute(_LOG, [sync_name, str(now()), run_id])
        warehouse.execute(_RELEASE, [sync_name])
        _clear(warehouse)
    return count


def _lay_out(warehouse: Warehouse, sync_name: str, run_id: str, staying: str, operations: str) -> None:
    _clear(warehouse)
    warehouse.execute(_LEAVING.format(operations=operations), [sync_name, run_id])
    warehouse.execute(staying, [sync_name, run_id, sync_name])


def _clear(warehouse: Warehouse) -> None:
    for table in (LEAVING, STAYING, KEPT):
        warehouse.execute(f"drop table if exists {table}")

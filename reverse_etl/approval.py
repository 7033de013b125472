"""A person's word on a held plan: it counts once, and only for exactly that plan."""

import getpass

from reverse_etl.environment import command, now
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.warehouse import Warehouse

# Who is revoked goes in any case, and the order and the ids of operations differ from run to run.
_PLAN_ID = """
select md5(coalesce(string_agg(
    substr(md5(concat(operation, '/', member_id, '/', fingerprint)), 1, 16), '' order by member_id, operation
), ''))
from activation.plan where run_id = ? and coalesce(reason, '') <> 'revoked'
"""
_HELD = """
select run_id, state, plan_id, reason, planned_add, planned_change, planned_remove - coalesce(attempted_remove, 0)
from activation.sync_runs
where sync_name = ? and state <> 'running' order by epoch desc limit 1
"""


def plan_id(warehouse: Warehouse, run_id: str) -> str:
    """Hash what a run is about to do: the same only for the same changes to the same members."""
    return str(warehouse.execute(_PLAN_ID, [run_id])[0][0])


def approve(warehouse: Warehouse, sync: Sync, by: str = "") -> str:
    """Let the plan that the last run held pass once; say in words what that is."""
    found = warehouse.execute(_HELD, [sync.name])
    if not found or found[0][1] != "held" or not found[0][2]:
        raise BadDeclaration(
            f"{sync.name}: the last run was not held by a guard, so there is nothing to approve; "
            f"first {command()} run {sync.name}: what it holds is what can be approved"
        )
    run_id, _, held, reason, *counts = found[0]
    who = by or getpass.getuser()
    warehouse.execute("delete from activation.approvals where sync_name = ? and used_by_run is null", [sync.name])
    warehouse.execute(
        "insert into activation.approvals (sync_name, plan_id, approved_by, approved_at) values (?, ?, ?, ?)",
        [sync.name, held, who, now()],
    )
    add, change, remove = counts
    return (
        f"{sync.name}: approved by {who}: add {add}, change {change}, remove {remove}, as {run_id} planned it "
        f"({reason.partition('; if that is right')[0]}); another plan is held again"
    )


def approved_by(warehouse: Warehouse, sync: Sync, held: str) -> str:
    """Who let this plan pass; empty: nobody, or it was used."""
    found = warehouse.execute(
        "select approved_by from activation.approvals where sync_name = ? and plan_id = ? and used_by_run is null",
        [sync.name, held],
    )
    return str(found[0][0]) if found else ""


def use(warehouse: Warehouse, sync: Sync, held: str, run_id: str) -> None:
    """Spend the approval."""
    warehouse.execute(
        "update activation.approvals set used_by_run = ? where sync_name = ? and plan_id = ? and used_by_run is null",
        [run_id, sync.name, held],
    )

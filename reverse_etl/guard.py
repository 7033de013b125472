"""What must be true before members are removed or added: a passed gate, and no suspicious shrinking."""

from reverse_etl.desired import columns_of
from reverse_etl.plan import Plan
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

SMALL = 10  # up to so many members a large share is no alarm

_VERDICTS = """
with ranked as (
    select
        is_passed,
        row_number() over (partition by suite order by checked_at desc, is_passed) as place
    from ops.gate_results
    where table_name = ?
)
select count(*), count(case when is_passed then 1 end) from ranked where place = 1
"""


def shrinking(sync: Sync, planned: Plan) -> str:
    """Why this plan needs a person's word; empty when it doesn't.

    People who took back their consent don't count: their removal is due, however many they are.
    """
    leaving = planned.remove - planned.revoked
    remaining = planned.held - planned.revoked
    if not leaving:
        return ""
    if planned.audience == 0:
        return f"audiences.{sync.audience} is empty and {leaving} members would be removed"
    if remaining > SMALL and leaving > sync.max_removed_share * remaining:
        limit = f"{sync.max_removed_share:.0%}"
        return f"{leaving} of {remaining} members would be removed (limit {limit})"
    return ""


def closed_gate(warehouse: Warehouse, sync: Sync) -> str:
    """Why the audience's quality gate doesn't let it pass; empty when it does. No verdict is no pass."""
    table = f"audiences.{sync.audience}"
    if not columns_of(warehouse, "ops", "gate_results"):
        return f"{table} was never checked: there is no ops.gate_results"
    suites, passed = warehouse.execute(_VERDICTS, [table])[0]
    if not suites:
        return f"{table} was never checked: ops.gate_results has no verdict on it"
    if passed < suites:
        return f"the newest verdict on {table} in ops.gate_results is not passed"
    return ""

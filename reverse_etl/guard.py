"""What must be true before members are removed or added: a passed gate, and a plan within the sync's guards."""

from dataclasses import dataclass
from datetime import datetime

from reverse_etl.desired import columns_of
from reverse_etl.destination import Outcome, Spec
from reverse_etl.environment import now
from reverse_etl.limits import Action, Guard
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


@dataclass(frozen=True, slots=True)
class Alarm:
    """A guard that a plan trips."""

    guard: str
    action: Action
    words: str


def alarms(warehouse: Warehouse, sync: Sync, spec: Spec, planned: Plan, *, is_resync: bool = False) -> list[Alarm]:
    """List every guard the plan trips, blocks first; an empty plan trips none.

    People who took back their consent don't count: their removal is due, however many they are.
    """
    if not planned.size:
        return []
    guards = sync.guards
    found = [
        ("empty", guards.empty, _empty(sync, planned)),
        ("removed_share", sync.removed_share, _removed(sync.removed_share, planned)),
        ("changed_share", guards.changed_share, "" if is_resync else _changed(guards.changed_share, planned)),
        ("floor", guards.floor, _few(guards.floor, planned)),
        ("ceiling", guards.ceiling, _many(guards.ceiling, planned)),
        ("first_run", guards.first_run, _first(guards.first_run, planned)),
        ("minimum", guards.minimum, _small(spec, planned)),
        ("quota", guards.quota, _quota(warehouse, sync, guards.quota, planned)),
        ("cost", guards.cost, _cost(guards.cost, spec, planned)),
    ]
    tripped = [Alarm(name, guard.action, words) for name, guard, words in found if guard and words]
    return sorted(tripped, key=lambda alarm: ("block", "hold", "warn").index(alarm.action))


def _empty(sync: Sync, planned: Plan) -> str:
    if planned.audience or not planned.left:
        return ""
    return f"audiences.{sync.audience} is empty and {planned.left} members would be removed"


def _removed(guard: Guard, planned: Plan) -> str:
    remaining = planned.held - planned.revoked
    if not planned.audience or remaining <= SMALL or planned.left <= guard.limit * remaining:
        return ""
    return f"{planned.left} of {remaining} members would be removed (limit {guard.limit:.0%})"


def _changed(guard: Guard | None, planned: Plan) -> str:
    if not guard or planned.held <= SMALL or planned.change <= guard.limit * planned.held:
        return ""
    return f"{planned.change} of {planned.held} members would be changed (limit {guard.limit:.0%})"


def _few(guard: Guard | None, planned: Plan) -> str:
    if not guard or planned.desired >= guard.limit:
        return ""
    return f"only {planned.desired} members are wanted (floor {guard.limit:,.0f})"


def _many(guard: Guard | None, planned: Plan) -> str:
    if not guard or planned.desired <= guard.limit:
        return ""
    return f"{planned.desired} members are wanted (ceiling {guard.limit:,.0f})"


def _first(guard: Guard | None, planned: Plan) -> str:
    if not guard or planned.held or planned.add <= guard.limit:
        return ""
    return f"the first run would add {planned.add} members (limit {guard.limit:,.0f})"


def _small(spec: Spec, planned: Plan) -> str:
    if planned.desired >= spec.smallest_audience:
        return ""
    return f"{planned.desired} members are wanted, the destination serves no fewer than {spec.smallest_audience}"


def _quota(warehouse: Warehouse, sync: Sync, guard: Guard | None, planned: Plan) -> str:
    if not guard:
        return ""
    today = sent_today(warehouse, sync)
    if today + planned.size <= guard.limit:
        return ""
    return f"{planned.size} changes after {today} today are more than a day's {guard.limit:,.0f}"


def _cost(guard: Guard | None, spec: Spec, planned: Plan) -> str:
    cost = planned.size * spec.cost_per_row
    return f"it would cost {cost:,.2f} (budget {guard.limit:,.2f})" if guard and cost > guard.limit else ""


def sent_today(warehouse: Warehouse, sync: Sync) -> int:
    """Count what all syncs to the same destination sent since midnight UTC."""
    midnight = datetime.combine(now().date(), datetime.min.time())
    outcomes = ", ".join(f"'{outcome}'" for outcome in Outcome if outcome is not Outcome.DEFERRED)
    return int(
        warehouse.execute(
            "select count(*) from activation.attempts where attempted_at >= ? "
            f"and outcome in ({outcomes}) and run_id in "
            "(select run_id from activation.sync_runs where destination = ? and started_at >= ?)",
            [midnight, sync.destination, datetime.fromordinal(midnight.toordinal() - 1)],
        )[0][0]
    )


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

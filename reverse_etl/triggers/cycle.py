"""A whole cycle of triggers, for who has no live process: open, decide, send."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reverse_etl.contended import contended
from reverse_etl.environment import now as real_now
from reverse_etl.triggers.contents import check_columns
from reverse_etl.triggers.decide import Decisions, decide_due
from reverse_etl.triggers.dispatch import Open, dispatch
from reverse_etl.triggers.forgetting import forget
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.opening import open_triggers
from reverse_etl.triggers.report import Dispatched
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse


@dataclass(frozen=True)
class Cycle:
    """What a cycle decided and sent."""

    decisions: Decisions
    dispatched: Dispatched


def decide(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime, look: Look = Look.ALL) -> Decisions:
    """Open and decide in one transaction; again, where an owner's cycle decided meanwhile."""
    open_tables(warehouse)
    for trigger in triggers:
        check_columns(warehouse, trigger)
    return contended(warehouse, lambda: look_and_decide(warehouse, triggers, now, look))


def look_and_decide(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime, look: Look) -> Decisions:
    """Open, decide, and forget what is over; call it in a transaction, with all triggers."""
    open_triggers(warehouse, [trigger for trigger in triggers if trigger.enabled], now, look)
    decisions = decide_due(warehouse, triggers, now, is_thorough=look is Look.ALL)
    if look is Look.ALL:
        forget(warehouse, triggers, now)
    return decisions


def run_cycle(open_warehouse: Open, triggers: Sequence[Trigger], now: Callable[[], datetime] = real_now) -> Cycle:
    """Open, decide and send what is due now."""
    warehouse = open_warehouse()
    try:
        decisions = decide(warehouse, triggers, now())
    finally:
        warehouse.close()
    return Cycle(decisions, dispatch(open_warehouse, triggers, now))

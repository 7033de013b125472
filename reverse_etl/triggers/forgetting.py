"""Settled firings whose reason can't come again are forgotten, so that those of years weigh on nobody; counts stay."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.occasions import oldest
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse

KEPT = timedelta(days=2)  # at least: what they brought about is measured for a day

_FORGOTTEN = """
trigger_name = '{name}' and outcome is not null and occurred_at < {horizon} and decided_at < {horizon}
and message_id not in (select message_id from activation.outbox where state in ('pending', 'sending', 'unknown'))
"""
_STATEMENTS = (
    """
    insert into activation.trigger_outcomes (trigger_name, decided_on, outcome, firing_count)
    select trigger_name, cast(decided_at as date), outcome, count(*)
    from activation.trigger_firings where {forgotten}
    group by 1, 2, 3
    on conflict (trigger_name, decided_on, outcome)
    do update set firing_count = trigger_outcomes.firing_count + excluded.firing_count
    """,
    "delete from activation.trigger_firings where {forgotten}",
    # A file may come to wait or expire later: what was told and is forgotten must not be told again.
    "update activation.trigger_marks set since = greatest(since, {horizon}) where trigger_name = '{name}'",
)


def forget(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> None:
    """Forget what is over; call it in the transaction that opened and decided."""
    for trigger in triggers:
        if not is_remembered(trigger):
            horizon = moment(min(oldest(trigger, now), now - KEPT))
            forgotten = _FORGOTTEN.format(name=trigger.name, horizon=horizon)
            for statement in _STATEMENTS:
                warehouse.execute(statement.format(forgotten=forgotten, horizon=horizon, name=trigger.name))


def is_remembered(trigger: Trigger) -> bool:
    """Whether a firing may stand in the way of another, or is one half of a comparison.

    A reason with the event itself, or with the moment of a row, is told of once: what is older opens nothing.
    """
    own = "event_id" if trigger.when.event else trigger.when.at
    return bool(trigger.holdout) or own not in trigger.reasons

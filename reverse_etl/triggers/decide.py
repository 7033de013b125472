"""What is due is decided: one message to the outbox, or a reason why not. Once for each firing, at most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.lists import let_go, put_on_lists
from reverse_etl.triggers.redirects import lay_out_people, lay_out_redirects
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.triggers.turn import take_turn
from reverse_etl.triggers.verdict import QUIET, SEND, VERDICTS, begin, judge
from reverse_etl.warehouse import Warehouse

DUE = "_trigger_due"  # a temporary table, read once of all firings
PICKED = "_trigger_picked"
COUNTED = "('pending', 'sending', 'unknown', 'sent', 'may_have_arrived')"  # outbox states of what was or may be told

_WAS_TOLD = f"state in {COUNTED} and coalesce(sent_at, {{now}}) > {{longest_ago}}"
_LAY_OUT_DUE = f"""
create temporary table {DUE} as
select trigger_name, message_id, profile_id, reason, product_id, cart_id, source_id, occurred_at, received_at, due_at,
    opened_at
from activation.trigger_firings
where outcome is null and wake_at <= {{now}}
"""
_DUE = f"select {DUE}.*, cast(null as varchar) as channel from {DUE} where trigger_name = '{{name}}'"
# Those that are due were opened since {opened}: of what is older nothing is read.
_IS_OPEN = "firings.outcome is null and firings.opened_at >= {opened}"
_REFUSE = f"""
update activation.trigger_firings as firings
set outcome = verdicts.verdict, decided_at = {{now}}, channel = verdicts.channel
from {VERDICTS} as verdicts
where firings.message_id = verdicts.message_id and {{is_settled}} and {_IS_OPEN}
"""
_WAIT = f"""
update activation.trigger_firings as firings set wake_at = verdicts.wake_at
from {VERDICTS} as verdicts
where firings.message_id = verdicts.message_id and verdicts.verdict = '{QUIET}' and {_IS_OPEN}
"""
# One for each person at a time: the next is judged knowing this one. What is waiting to be sent counts as sent now.
_PICK = f"""
create temporary table {PICKED} as
with

first as (

    select verdicts.*, row_number() over (partition by person_id order by priority, due_at, message_id) as place
    from {VERDICTS} as verdicts
    where verdict = '{SEND}'

),

told as (

    select coalesce(redirects.current_profile_id, outbox.profile_id) as person_id, outbox.sent_at
    from activation.outbox as outbox
    left join _trigger_redirects as redirects on outbox.profile_id = redirects.profile_id
    where outbox.{_WAS_TOLD}

),

counted as (

    select first.message_id, count(told.person_id) as told_count
    from first
    left join told
        on first.person_id = told.person_id and coalesce(told.sent_at, {{now}}) > first.cap_from
    where first.place = 1
    group by first.message_id

)

select
    first.message_id, first.channel,
    case when counted.told_count < first.cap_messages then '{SEND}' else 'frequency_cap' end as verdict
from first
inner join counted on first.message_id = counted.message_id
where first.place = 1
"""
_POST = f"""
insert into activation.outbox (
    message_id, trigger_name, profile_id, channel, destination, state, attempts,
    occurred_at, received_at, due_at, decided_at, wake_at
)
select
    firings.message_id, firings.trigger_name, firings.profile_id, picked.channel, {{destination}}, 'pending', 0,
    firings.occurred_at, firings.received_at, firings.due_at, {{now}}, {{now}}
from {PICKED} as picked
inner join activation.trigger_firings as firings on picked.message_id = firings.message_id
where picked.verdict = '{SEND}' and {_IS_OPEN}
on conflict do nothing
"""
_SETTLE = f"""
update activation.trigger_firings as firings
set outcome = picked.verdict, decided_at = {{now}}, channel = picked.channel
from {PICKED} as picked
where firings.message_id = picked.message_id and {_IS_OPEN}
"""


@dataclass
class Decisions:
    """Verdicts of one call, counted by trigger."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, trigger: str, verdict: str, count: int) -> None:
        self.counts.setdefault(trigger, Counter())[verdict] += count

    @property
    def sent(self) -> int:
        return sum(counts[SEND] for counts in self.counts.values())


def decide_due(
    warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime, *, is_thorough: bool = True
) -> Decisions:
    """Judge every firing that is due, of all triggers at once; call it in a transaction.

    All triggers must be given together: a frequency cap is over all of them. `is_thorough` looks again at everybody
    who is on a list, not only at those of whom something changed.
    """
    decisions = Decisions()
    take_turn(warehouse)
    let_go(warehouse, triggers, now, is_thorough=is_thorough)
    due, opened = _lay_out(warehouse, triggers, now)
    if not due:
        return decisions
    words = {"now": moment(now), "opened": opened, "longest_ago": moment(_longest_ago(triggers, now))}
    lists = [trigger for trigger in due if trigger.list]
    is_settled = f"(verdicts.verdict <> '{SEND}' or verdicts.trigger_name in ({_names(lists)}))"
    for trigger, verdict, count in warehouse.execute(
        f"select trigger_name, verdict, count(*) from {VERDICTS} as verdicts where {is_settled} group by 1, 2"
    ):
        decisions.add(trigger, verdict, count)
    for trigger in lists:
        put_on_lists(warehouse, trigger, now)
    warehouse.execute(_WAIT.format(**words))
    warehouse.execute(_REFUSE.format(**words, is_settled=f"{is_settled} and verdicts.verdict <> '{QUIET}'"))
    warehouse.execute(f"delete from {VERDICTS} as verdicts where {is_settled}")
    if warehouse.execute(f"select 1 from {VERDICTS} limit 1"):
        lay_out_redirects(warehouse, f"select profile_id from activation.outbox where {_WAS_TOLD.format(**words)}")
    while warehouse.execute(f"select count(*) from {VERDICTS}")[0][0]:
        _round(warehouse, due, words, decisions)
    return decisions


def _longest_ago(triggers: Sequence[Trigger], now: datetime) -> datetime:
    """Give the moment before which no message counts for any cap."""
    return now - timedelta(days=max(trigger.cap.days for trigger in triggers))


def _names(triggers: Sequence[Trigger]) -> str:
    return ", ".join(f"'{trigger.name}'" for trigger in triggers) or "''"


def _lay_out(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> tuple[list[Trigger], str]:
    """Judge what is due; the triggers that have any, and since when their firings were opened, as SQL."""
    warehouse.execute(f"drop table if exists {DUE}")
    warehouse.execute(_LAY_OUT_DUE.format(now=moment(now)))
    waiting: dict[str, datetime] = dict(warehouse.execute(f"select trigger_name, min(opened_at) from {DUE} group by 1"))
    due = [trigger for trigger in triggers if trigger.enabled and trigger.name in waiting]
    if not due:
        return [], ""
    lay_out_people(warehouse, f"select profile_id from {DUE}")
    begin(warehouse)
    for trigger in due:
        judge(warehouse, trigger, _DUE.format(name=trigger.name), now, is_new=False)
    return due, moment(min(waiting[trigger.name] for trigger in due))


def _round(warehouse: Warehouse, triggers: Sequence[Trigger], words: Mapping[str, str], decisions: Decisions) -> None:
    warehouse.execute(f"drop table if exists {PICKED}")
    warehouse.execute(_PICK.format(**words))
    for trigger, verdict, count in warehouse.execute(
        f"select verdicts.trigger_name, picked.verdict, count(*) from {PICKED} as picked "
        f"inner join {VERDICTS} as verdicts on picked.message_id = verdicts.message_id group by 1, 2"
    ):
        decisions.add(trigger, verdict, count)
    warehouse.execute(_POST.format(**words, destination=_destination(triggers)))
    warehouse.execute(_SETTLE.format(**words))
    warehouse.execute(f"delete from {VERDICTS} where message_id in (select message_id from {PICKED})")


def _destination(triggers: Sequence[Trigger]) -> str:
    """Write SQL for where the channel of a trigger goes; names are of declarations that were checked."""
    whens = " ".join(
        f"when firings.trigger_name = '{trigger.name}' and picked.channel = '{channel}' then '{way.destination}'"
        for trigger in triggers
        for channel, way in trigger.send.items()
    )
    return f"case {whens} end"

"""What is due is decided: one message to the outbox, or a reason why not. Once for each firing, at most."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.lists import let_go, put_on_lists
from reverse_etl.triggers.redirects import lay_out_people, lay_out_redirects
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.triggers.verdict import QUIET, SEND, VERDICTS, begin, judge
from reverse_etl.warehouse import Warehouse

PICKED = "_trigger_picked"
TURN = "triggers.decide"
COUNTED = "('pending', 'sending', 'unknown', 'sent', 'may_have_arrived')"  # outbox states of what was or may be told

_IS_DUE = "outcome is null and wake_at <= {now}"
_DUE = f"""
select message_id, profile_id, reason, product_id, cart_id, source_id, occurred_at, due_at,
    cast(null as varchar) as channel
from activation.trigger_firings
where trigger_name = '{{name}}' and {_IS_DUE}
"""
_REFUSE = f"""
update activation.trigger_firings as firings
set outcome = verdicts.verdict, decided_at = {{now}}, channel = verdicts.channel
from {VERDICTS} as verdicts
where firings.message_id = verdicts.message_id and verdicts.verdict not in ('{SEND}', '{QUIET}')
    and firings.outcome is null
"""
_WAIT = f"""
update activation.trigger_firings as firings set wake_at = verdicts.wake_at
from {VERDICTS} as verdicts
where firings.message_id = verdicts.message_id and verdicts.verdict = '{QUIET}' and firings.outcome is null
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
    where outbox.state in {COUNTED}

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
where picked.verdict = '{SEND}' and firings.outcome is null
on conflict do nothing
"""
_SETTLE = f"""
update activation.trigger_firings as firings
set outcome = picked.verdict, decided_at = {{now}}, channel = picked.channel
from {PICKED} as picked
where firings.message_id = picked.message_id and firings.outcome is null
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


def decide_due(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> Decisions:
    """Judge every firing that is due, of all triggers at once; call it in a transaction.

    All triggers must be given together: a frequency cap is over all of them.
    """
    decisions = Decisions()
    take_turn(warehouse)
    let_go(warehouse, triggers, now)
    due = _lay_out(warehouse, triggers, now)
    if not due:
        return decisions
    at = moment(now)
    for trigger, verdict, count in warehouse.execute(
        f"select trigger_name, verdict, count(*) from {VERDICTS} where verdict <> '{SEND}' group by 1, 2"
    ):
        decisions.add(trigger, verdict, count)
    warehouse.execute(_REFUSE.format(now=at))
    warehouse.execute(_WAIT.format(now=at))
    warehouse.execute(f"delete from {VERDICTS} where verdict <> '{SEND}'")
    for trigger in due:
        if trigger.list:
            decisions.add(trigger.name, SEND, put_on_lists(warehouse, trigger, now))
    if warehouse.execute(f"select 1 from {VERDICTS} limit 1"):
        lay_out_redirects(warehouse, f"select profile_id from activation.outbox where state in {COUNTED}")
    while warehouse.execute(f"select count(*) from {VERDICTS}")[0][0]:
        _round(warehouse, due, at, decisions)
    return decisions


def take_turn(warehouse: Warehouse) -> None:
    """Let one decide at a time: a row that each of them writes, until its transaction ends."""
    warehouse.execute(
        f"insert into activation.leases (sync_name, epoch, expires_at) values ('{TURN}', 0, timestamp '1970-01-01') "
        "on conflict do nothing"
    )
    warehouse.execute(f"update activation.leases set epoch = epoch + 1 where sync_name = '{TURN}'")


def _lay_out(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> list[Trigger]:
    waiting = {
        str(name): int(count)
        for name, count in warehouse.execute(
            "select trigger_name, count(*) from activation.trigger_firings "
            f"where {_IS_DUE.format(now=moment(now))} group by 1"
        )
    }
    due = [trigger for trigger in triggers if trigger.enabled and waiting.get(trigger.name)]
    if due:
        lay_out_people(
            warehouse, f"select profile_id from activation.trigger_firings where {_IS_DUE.format(now=moment(now))}"
        )
        begin(warehouse)
    for trigger in due:
        judge(warehouse, trigger, _DUE.format(name=trigger.name, now=moment(now)), now, is_new=False)
    return due


def _round(warehouse: Warehouse, triggers: Sequence[Trigger], at: str, decisions: Decisions) -> None:
    warehouse.execute(f"drop table if exists {PICKED}")
    warehouse.execute(_PICK.format(now=at))
    for trigger, verdict, count in warehouse.execute(
        f"select verdicts.trigger_name, picked.verdict, count(*) from {PICKED} as picked "
        f"inner join {VERDICTS} as verdicts on picked.message_id = verdicts.message_id group by 1, 2"
    ):
        decisions.add(trigger, verdict, count)
    warehouse.execute(_POST.format(now=at, destination=_destination(triggers)))
    warehouse.execute(_SETTLE.format(now=at))
    warehouse.execute(f"delete from {VERDICTS} where message_id in (select message_id from {PICKED})")


def _destination(triggers: Sequence[Trigger]) -> str:
    """Write SQL for where the channel of a trigger goes; names are of declarations that were checked."""
    whens = " ".join(
        f"when firings.trigger_name = '{trigger.name}' and picked.channel = '{channel}' then '{way.destination}'"
        for trigger in triggers
        for channel, way in trigger.send.items()
    )
    return f"case {whens} end"

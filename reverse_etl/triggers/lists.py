"""Who is to be on which list of an ad platform: put on and taken off by triggers, and taken off when consent ends."""

from collections.abc import Sequence
from datetime import datetime

from reverse_etl.consent import consented
from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.triggers.verdict import SEND, VERDICTS
from reverse_etl.warehouse import Warehouse

_PUT = f"""
insert into activation.list_members (
    destination, list_name, profile_id, trigger_name, is_wanted, until_at, decided_at, received_at,
    is_held, intents, attempts, wake_at
)
select
    '{{destination}}', replace('{{list}}', '{{{{product_id}}}}', coalesce(firings.product_id, '')), verdicts.person_id,
    '{{name}}', true, max({{until}}), {{now}}, max(firings.received_at), false, 0, 0, {{now}}
from {VERDICTS} as verdicts
inner join activation.trigger_firings as firings on verdicts.message_id = firings.message_id
where verdicts.trigger_name = '{{name}}' and verdicts.verdict = '{SEND}'
group by 2, 3
on conflict (destination, list_name, profile_id) do update set
    is_wanted = true, trigger_name = excluded.trigger_name, until_at = excluded.until_at, reason = null,
    decided_at = excluded.decided_at, received_at = excluded.received_at, wake_at = excluded.wake_at
"""
_TAKE = f"""
update activation.list_members as members
set is_wanted = false, reason = '{{name}}', decided_at = {{now}}, wake_at = {{now}}
from (
    select replace('{{list}}', '{{{{product_id}}}}', coalesce(firings.product_id, '')) as list_name, verdicts.person_id
    from {VERDICTS} as verdicts
    inner join activation.trigger_firings as firings on verdicts.message_id = firings.message_id
    where verdicts.trigger_name = '{{name}}' and verdicts.verdict = '{SEND}'
) as leaving
where members.destination = '{{destination}}' and members.list_name = leaving.list_name
    and members.profile_id = leaving.person_id and members.is_wanted
"""
_SETTLE = f"""
update activation.trigger_firings as firings set outcome = '{SEND}', decided_at = {{now}}, channel = 'ads'
from {VERDICTS} as verdicts
where firings.message_id = verdicts.message_id and verdicts.trigger_name = '{{name}}' and verdicts.verdict = '{SEND}'
    and firings.outcome is null
"""
# No row of consent means no, so a profile that was merged away is taken off too, and comes back under its new id.
_LET_GO = """
update activation.list_members set
    reason = case when until_at <= {now} then 'expired' else 'revoked' end,
    is_wanted = false, decided_at = {now}, wake_at = {now}
where trigger_name = '{name}' and is_wanted and (
    until_at <= {now}
    or profile_id not in (
        select consented.profile_id from ({consented}) as consented where consented.is_granted = 1
    )
)
"""


def put_on_lists(warehouse: Warehouse, trigger: Trigger, now: datetime) -> int:
    """Carry out what was judged for a trigger of lists; how many people it was about."""
    step = trigger.list
    if step is None:
        return 0
    mine = f"trigger_name = '{trigger.name}' and verdict = '{SEND}'"
    [(count,)] = warehouse.execute(f"select count(*) from {VERDICTS} where {mine}")
    words = {"destination": step.destination, "list": step.name, "name": trigger.name, "now": moment(now)}
    if step.add:
        until = f"{moment(now)} + {interval(step.lasts)}" if step.lasts else "cast(null as timestamp)"
        warehouse.execute(_PUT.format(**words, until=until))
    else:
        warehouse.execute(_TAKE.format(**words))
    warehouse.execute(_SETTLE.format(**words))
    warehouse.execute(f"delete from {VERDICTS} where {mine}")
    return int(count)


def let_go(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> None:
    """Take off whose time is over, and who does not consent any more."""
    for trigger in triggers:
        if trigger.list and trigger.list.add:
            listed = "select profile_id from activation.list_members where is_wanted"
            chosen = consented(trigger.list_sync(trigger.list.add), f"and profile_id in ({listed})")
            warehouse.execute(_LET_GO.format(name=trigger.name, now=moment(now), consented=chosen))

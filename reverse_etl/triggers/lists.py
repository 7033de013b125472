"""Who is to be on which list of an ad platform: put on and taken off by triggers, and taken off when consent ends."""

from collections.abc import Sequence
from datetime import datetime

from reverse_etl.consent import consented
from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.touched import newest_batch, touched_since
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.triggers.verdict import SEND, VERDICTS
from reverse_etl.warehouse import Warehouse

_WANTED = f"""
select
    replace('{{list}}', '{{{{product_id}}}}', coalesce(product_id, '')) as list_name, person_id,
    max({{until}}) as until_at, max(received_at) as received_at
from {VERDICTS}
where trigger_name = '{{name}}' and verdict = '{SEND}'
group by 1, 2
"""
# Not `on conflict`: DuckDB would read the keys of all members (130 ms of a million, and 50 like this).
_PUT_BACK = f"""
update activation.list_members as members
set is_wanted = true, trigger_name = '{{name}}', until_at = wanted.until_at, reason = null,
    decided_at = {{now}}, received_at = wanted.received_at, wake_at = {{now}}
from ({_WANTED}) as wanted
where members.destination = '{{destination}}' and members.list_name = wanted.list_name
    and members.profile_id = wanted.person_id
"""
_PUT = f"""
insert into activation.list_members (
    destination, list_name, profile_id, trigger_name, is_wanted, until_at, decided_at, received_at,
    is_held, intents, attempts, wake_at
)
select
    '{{destination}}', wanted.list_name, wanted.person_id, '{{name}}', true, wanted.until_at, {{now}},
    wanted.received_at, false, 0, 0, {{now}}
from ({_WANTED}) as wanted
where not exists (
    select 1 from activation.list_members as members
    where members.destination = '{{destination}}' and members.list_name = wanted.list_name
        and members.profile_id = wanted.person_id
)
"""
_TAKE = f"""
update activation.list_members as members
set is_wanted = false, reason = '{{name}}', decided_at = {{now}}, wake_at = {{now}}
from (
    select
        replace('{{list}}', '{{{{product_id}}}}', coalesce(verdicts.product_id, '')) as list_name, verdicts.person_id
    from {VERDICTS} as verdicts
    where verdicts.trigger_name = '{{name}}' and verdicts.verdict = '{SEND}'
) as leaving
where members.destination = '{{destination}}' and members.list_name = leaving.list_name
    and members.profile_id = leaving.person_id and members.is_wanted
"""
_EXPIRED = """
update activation.list_members set reason = 'expired', is_wanted = false, decided_at = {now}, wake_at = {now}
where trigger_name = '{name}' and is_wanted and until_at <= {now}
"""
# No row of consent means no, so a profile that was merged away is taken off too, and comes back under its new id.
_REVOKED = """
update activation.list_members set reason = 'revoked', is_wanted = false, decided_at = {now}, wake_at = {now}
where trigger_name = '{name}' and is_wanted
    and profile_id in ({looked_at})
    and profile_id not in (
        select consented.profile_id from ({consented}) as consented where consented.is_granted = 1
    )
"""
_LISTED = "select profile_id from activation.list_members where is_wanted"


def put_on_lists(warehouse: Warehouse, trigger: Trigger, now: datetime) -> None:
    """Carry out what was judged for a trigger of lists."""
    step = trigger.list
    if step is None:
        return
    words = {"destination": step.destination, "list": step.name, "name": trigger.name, "now": moment(now)}
    if step.add:
        until = f"{moment(now)} + {interval(step.lasts)}" if step.lasts else "cast(null as timestamp)"
        for statement in (_PUT_BACK, _PUT):
            warehouse.execute(statement.format(**words, until=until))
    else:
        warehouse.execute(_TAKE.format(**words))


def let_go(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime, *, is_thorough: bool) -> None:
    """Take off whose time is over, and who does not consent any more.

    A consent that ends by its age alone changes nothing else of a person: it is found by the thorough look.
    """
    newest = newest_batch(warehouse)
    read: dict[str, int] = dict(warehouse.execute("select trigger_name, profiles_batch from activation.list_marks"))
    for trigger in triggers:
        if trigger.list and trigger.list.add:
            warehouse.execute(_EXPIRED.format(name=trigger.name, now=moment(now)))
            batch = None if is_thorough else read.get(trigger.name)
            if batch != newest:
                # A greater one was of builds that are gone: they were counted anew.
                looked_at = _LISTED if batch is None or batch > newest else touched_since(batch)
                _revoke(warehouse, trigger, now, looked_at)
                _note(warehouse, trigger, newest)


def _revoke(warehouse: Warehouse, trigger: Trigger, now: datetime, looked_at: str) -> None:
    chosen = consented(trigger.list_sync(""), f"and profile_id in ({looked_at})")
    warehouse.execute(_REVOKED.format(name=trigger.name, now=moment(now), looked_at=looked_at, consented=chosen))


def _note(warehouse: Warehouse, trigger: Trigger, batch: int) -> None:
    warehouse.execute(
        "insert into activation.list_marks (trigger_name, profiles_batch) values (?, ?) "
        "on conflict (trigger_name) do update set profiles_batch = excluded.profiles_batch",
        [trigger.name, batch],
    )

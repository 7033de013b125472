"""Firings are opened: one for each person and reason, of all triggers at once. Idempotent, in any order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reverse_etl.triggers.crossings import note_crossings, note_who_is_there
from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.numbers import REASON, SOURCE, number, share_a_number
from reverse_etl.triggers.occasions import RECENT, Look, occasions, oldest
from reverse_etl.triggers.redirects import REDIRECTS, lay_out_redirects
from reverse_etl.triggers.touched import newest_batch, touched_since
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.triggers.turn import take_turn
from reverse_etl.warehouse import Warehouse, quoted

OCCASIONS = "_trigger_occasions"  # a temporary table: what happened
TOLD = "_trigger_told"  # a temporary table: whatever firings there are of the same reason or event, of anybody

_OCCASIONS = f"""
create temporary table {OCCASIONS} as
select found.*, {{reason_number}} as reason_number, {{source_number}} as source_number
from ({{found}}) as found
where found.profile_id is not null and found.reason is not null
"""
_OF_TRIGGER = """
select cast('{name}' as varchar) as trigger_name, found.*, found.occurred_at + {wait} as due_at from ({found}) as found
"""
_TOLD = f"""
create temporary table {TOLD} as
select trigger_name, profile_id, reason, source_id, product_id from activation.trigger_firings
where {{is_alike}}
"""
# Of who was told the same: whoever isn't the one that it is about now may be so under a former id.
_OTHERS = f"""
select told.profile_id from {TOLD} as told
left join {OCCASIONS} as occasions
    on told.trigger_name = occasions.trigger_name and told.profile_id = occasions.profile_id
    and told.reason = occasions.reason
where occasions.profile_id is null
"""
_UNDER_CURRENT_ID = f"""
insert into {TOLD}
select told.trigger_name, redirects.current_profile_id, told.reason, told.source_id, told.product_id
from {TOLD} as told inner join {REDIRECTS} as redirects on told.profile_id = redirects.profile_id
"""
# A person who was told under a former id, or of whom the same event was told, is not told again. The key says so too;
# `on conflict` would have DuckDB read the keys of all firings (150 ms of 3 million, where an index alone takes 4).
_OPEN = f"""
insert into activation.trigger_firings (
    trigger_name, profile_id, reason, message_id, source_id, product_id, cart_id,
    occurred_at, received_at, opened_at, due_at, wake_at, reason_number, source_number
)
with

ranked as (

    select
        occasions.*,
        row_number() over (partition by trigger_name, profile_id, reason order by occurred_at, source_id) as nth
    from {OCCASIONS} as occasions

)

select
    ranked.trigger_name, ranked.profile_id, ranked.reason,
    md5(concat(ranked.trigger_name, '/', ranked.profile_id, '/', ranked.reason)),
    ranked.source_id, ranked.product_id, ranked.cart_id,
    ranked.occurred_at, ranked.received_at, {{now}}, ranked.due_at, ranked.due_at,
    ranked.reason_number, ranked.source_number
from ranked
where ranked.nth = 1
    and not exists (
        select 1 from {TOLD} as told
        where told.trigger_name = ranked.trigger_name and told.profile_id = ranked.profile_id
            and told.reason = ranked.reason
    )
    and not exists (
        select 1 from {TOLD} as told
        where told.trigger_name = ranked.trigger_name and told.source_id = ranked.source_id
            and coalesce(told.product_id, '') = coalesce(ranked.product_id, '')
    )
"""
_ROWS_NEWS = """
and (
    audience.{at} > {recent}
    or audience.profile_id in ({touched})
)
"""
_ADVANCE_ROWS = "update activation.trigger_marks set profiles_batch = {batch} where trigger_name in ({names})"
_ADVANCE = """
update activation.trigger_marks set landed_at = greatest(
    landed_at, (select max(events._landed_at) from profiles.profile_events as events where true {landed})
) where trigger_name in ({names})
"""


@dataclass(frozen=True)
class Mark:
    """Up to where a trigger has read."""

    landed_at: datetime | None  # of events
    since: datetime  # when it exists
    profiles_batch: int | None  # of what changed of people, for rows of audiences


def open_triggers(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime, look: Look = Look.ALL) -> None:
    """Open a firing for what happened and wasn't seen yet; call it in a transaction."""
    take_turn(warehouse)
    marks = _marks(warehouse, triggers, now)
    for trigger in triggers:
        if trigger.when.audience and not trigger.when.rows:
            note_crossings(warehouse, trigger, now)
    batch = newest_batch(warehouse)
    found = [
        _OF_TRIGGER.format(
            name=trigger.name,
            wait=interval(trigger.wait),
            found=occasions(trigger, now, mark.since, _news(trigger, now, mark, look, batch)),
        )
        for trigger, mark in zip(triggers, marks, strict=True)
    ]
    _open(warehouse, found, now)
    _advance(warehouse, triggers, marks, batch)


def _marks(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> list[Mark]:
    known = {
        name: Mark(*mark)
        for name, *mark in warehouse.execute(
            "select trigger_name, landed_at, since, profiles_batch from activation.trigger_marks"
        )
    }
    return [known.get(trigger.name) or _begin(warehouse, trigger, now) for trigger in triggers]


def _begin(warehouse: Warehouse, trigger: Trigger, now: datetime) -> Mark:
    """Note since when a trigger exists."""
    # An event that is waiting when the trigger comes is still worth an answer; an audience's past isn't.
    since = oldest(trigger, now) if trigger.when.event else now
    warehouse.execute(
        "insert into activation.trigger_marks (trigger_name, since) "
        f"values ('{trigger.name}', {moment(since)}) on conflict do nothing"
    )
    if trigger.when.enters or trigger.when.leaves:
        note_who_is_there(warehouse, trigger, now)
    return Mark(None, since, None)


def _news(trigger: Trigger, now: datetime, mark: Mark, look: Look, batch: int) -> str:
    """Write a condition on what is new to this look; empty: all is."""
    if look is Look.ALL:
        return ""
    if trigger.when.event:
        return _after(mark.landed_at and mark.landed_at - (timedelta(0) if look is Look.NEW else RECENT))
    if trigger.when.rows and mark.profiles_batch is not None and mark.profiles_batch <= batch:
        at = quoted(trigger.when.at or "")
        return _ROWS_NEWS.format(at=at, recent=moment(now - RECENT), touched=touched_since(mark.profiles_batch))
    return ""


def _after(landed_at: datetime | None) -> str:
    return f"and events._landed_at > {moment(landed_at)}" if landed_at else ""


def _open(warehouse: Warehouse, found: Sequence[str], now: datetime) -> None:
    if not found:
        return
    for table in (OCCASIONS, TOLD):
        warehouse.execute(f"drop table if exists {table}")
    numbers = {"reason_number": number(warehouse, REASON), "source_number": number(warehouse, SOURCE)}
    warehouse.execute(_OCCASIONS.format(**numbers, found=" union all ".join(f"({one})" for one in found)))
    if not warehouse.execute(f"select 1 from {OCCASIONS} limit 1"):
        return
    warehouse.execute(_TOLD.format(is_alike=share_a_number(warehouse, OCCASIONS)))
    if warehouse.execute(f"{_OTHERS} limit 1"):
        lay_out_redirects(warehouse, _OTHERS)
        warehouse.execute(_UNDER_CURRENT_ID)
    warehouse.execute(_OPEN.format(now=moment(now)))


def _advance(warehouse: Warehouse, triggers: Sequence[Trigger], marks: Sequence[Mark], batch: int) -> None:
    landed = [mark.landed_at for trigger, mark in zip(triggers, marks, strict=True) if trigger.when.event]
    known = [at for at in landed if at]
    after = _after(min(known) if known and len(known) == len(landed) else None)
    events = _names(trigger for trigger in triggers if trigger.when.event)
    rows = _names(trigger for trigger in triggers if trigger.when.rows)
    if events:
        warehouse.execute(_ADVANCE.format(landed=after, names=events))
    if rows:
        warehouse.execute(_ADVANCE_ROWS.format(batch=batch, names=rows))


def _names(triggers: Iterable[Trigger]) -> str:
    return ", ".join(f"'{trigger.name}'" for trigger in triggers)

"""What opens a firing: new events, rows of an audience, people who entered or left one. Idempotent in any order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.redirects import lay_out_redirects
from reverse_etl.triggers.trigger import ENTRY, EVER, Trigger
from reverse_etl.warehouse import Warehouse, quoted

OCCASIONS = "_trigger_occasions"  # a temporary table: what happened and opened nothing yet
OVERLAP = timedelta(hours=1)  # loads may commit out of their landing order
CLOCK_SKEW = timedelta(minutes=5)

# A person who was told under a former id, or of whom the same event was told, is not told again.
_OPEN = """
insert into activation.trigger_firings (
    trigger_name, profile_id, reason, message_id, source_id, product_id, cart_id,
    occurred_at, received_at, opened_at, due_at, wake_at
)
with

ranked as (

    select
        occasions.*,
        row_number() over (partition by profile_id, reason order by occurred_at, source_id) as nth
    from _trigger_occasions as occasions

),

told as (

    select coalesce(redirects.current_profile_id, firings.profile_id) as profile_id, firings.reason
    from activation.trigger_firings as firings
    left join _trigger_redirects as redirects on firings.profile_id = redirects.profile_id
    where firings.trigger_name = '{name}'
        and firings.reason in (select reason from ranked where reason is not null)

)

select
    '{name}', ranked.profile_id, ranked.reason,
    md5(concat('{name}/', ranked.profile_id, '/', ranked.reason)),
    ranked.source_id, ranked.product_id, ranked.cart_id,
    ranked.occurred_at, ranked.received_at, {now}, ranked.occurred_at + {wait}, ranked.occurred_at + {wait}
from ranked
where ranked.nth = 1
    and not exists (
        select 1 from told where told.profile_id = ranked.profile_id and told.reason = ranked.reason
    )
    and not exists (
        select 1 from activation.trigger_firings as firings
        where firings.trigger_name = '{name}' and firings.source_id = ranked.source_id
            and coalesce(firings.product_id, '') = coalesce(ranked.product_id, '')  -- one of a cart may come later
    )
on conflict do nothing
"""
# Who was told for a reason that is given again.
_TOLD = f"""
select profile_id from activation.trigger_firings
where trigger_name = '{{name}}' and reason in (select reason from {OCCASIONS} where reason is not null)
"""
# A client's clock may run ahead, but nothing happened after it was received.
_EVENTS = """
select
    events.profile_id, {reason} as reason, events.event_id as source_id, {products}.product_id, events.cart_id,
    least(events.occurred_at, coalesce(events.received_at, events.occurred_at)) as occurred_at, events.received_at
from profiles.profile_events as events
{joined}
where events.event_name = '{event}'
    and events.occurred_at > {oldest}
    and events.occurred_at >= {since}
    and events.occurred_at <= {now} + {skew}
    {landed}
"""
_CART = """
inner join (
    select cart_id, product_id
    from profiles.profile_events
    where event_name = 'Product Added' and product_id is not null and cart_id in (
        select events.cart_id from profiles.profile_events as events
        where events.event_name = '{event}' and events.cart_id is not null {landed}
    )
) as added on events.cart_id = added.cart_id
"""
_ROWS = """
select
    audience.profile_id, {reason} as reason, cast(null as varchar) as source_id, {product} as product_id,
    cast(null as varchar) as cart_id, audience.{at} as occurred_at, cast(null as timestamp) as received_at
from audiences.{audience} as audience
where audience.{at} > {oldest}
    and audience.{at} >= {since}
    and audience.{at} <= {now}
"""
_CROSSINGS = """
select
    members.profile_id, {reason} as reason, cast(null as varchar) as source_id,
    cast(null as varchar) as product_id, cast(null as varchar) as cart_id,
    members.changed_at as occurred_at, cast(null as timestamp) as received_at
from activation.trigger_members as members
{audience}
where members.trigger_name = '{name}'
    and members.is_in = {is_in}
    and members.entry > 0
    and members.changed_at > {oldest}
"""
# Every crossing counts one; 0 is who was there when the trigger was first looked at: that is no news.
_CROSS = (
    """
    update activation.trigger_members as members set
        is_in = not members.is_in,
        entry = members.entry + 1,
        changed_at = {now}
    where members.trigger_name = '{name}'
        and members.is_in <> (
            members.profile_id in (select profile_id from audiences.{audience} where profile_id is not null)
        )
    """,
    """
    insert into activation.trigger_members (trigger_name, profile_id, is_in, entry, changed_at)
    select distinct '{name}', audience.profile_id, true, {entry}, {now}
    from audiences.{audience} as audience
    where audience.profile_id is not null
        and audience.profile_id not in (
            select profile_id from activation.trigger_members where trigger_name = '{name}'
        )
    on conflict do nothing
    """,
)


def open_triggers(
    warehouse: Warehouse,
    triggers: Sequence[Trigger],
    now: datetime,
    *,
    overlap: timedelta = OVERLAP,
    is_thorough: bool = False,
) -> None:
    """Open a firing for what happened and wasn't seen yet; call it in a transaction.

    Events are read from `overlap` before the newest landing that was seen; `is_thorough` reads all that could still
    matter, which finds those whose person became known later.
    """
    for trigger in triggers:
        mark, since = _mark(warehouse, trigger, now)
        if trigger.when.audience and not trigger.when.rows:
            _cross(warehouse, trigger, now)
        landed = "" if is_thorough or mark is None else f"and events._landed_at > {moment(mark - overlap)}"
        _open(warehouse, trigger, now, _occasions(trigger, now, since, landed))
        if trigger.when.event:
            _advance(warehouse, trigger, landed)


def _open(warehouse: Warehouse, trigger: Trigger, now: datetime, occasions: str) -> None:
    warehouse.execute(f"drop table if exists {OCCASIONS}")
    warehouse.execute(
        f"create temporary table {OCCASIONS} as select found.* from ({occasions}) as found "
        "where found.profile_id is not null and found.reason is not null and not exists (select 1 from "
        f"activation.trigger_firings as firings where firings.trigger_name = '{trigger.name}' "
        "and firings.profile_id = found.profile_id and firings.reason = found.reason)"
    )
    if warehouse.execute(f"select 1 from {OCCASIONS} limit 1"):
        lay_out_redirects(warehouse, _TOLD.format(name=trigger.name))
        warehouse.execute(_OPEN.format(name=trigger.name, now=moment(now), wait=interval(trigger.wait)))


def _occasions(trigger: Trigger, now: datetime, since: datetime, landed: str) -> str:
    when = trigger.when
    # Who is late by the whole span between due and expiry can't be told any more.
    common = {
        "now": moment(now),
        "since": moment(since),
        "oldest": moment(now - trigger.wait - trigger.expires),
        "reason": _reason(trigger, "events" if when.event else "members" if not when.rows else "audience"),
    }
    if when.event:
        cart = _CART.format(event=when.event, landed=landed)
        products, joined = ("added", cart) if when.of else ("events", "")
        return _EVENTS.format(
            **common, event=when.event, landed=landed, skew=interval(CLOCK_SKEW), products=products, joined=joined
        )
    audience = quoted(when.audience or "")
    if when.rows:
        has_product = "product_id" in trigger.reasons
        product = "cast(audience.product_id as varchar)" if has_product else "cast(null as varchar)"
        return _ROWS.format(**common, audience=audience, at=quoted(when.at or ""), product=product)
    joined = f"inner join audiences.{audience} as audience on members.profile_id = audience.profile_id"
    return _CROSSINGS.format(
        **common, name=trigger.name, is_in=bool(when.enters), audience=joined if when.enters else ""
    )


def _reason(trigger: Trigger, table: str) -> str:
    """Write SQL for what makes it another reason; no column may be null."""
    if trigger.reasons == (EVER,):
        return f"'{EVER}'"
    if trigger.reasons == (ENTRY,):
        return "concat('entry_', members.entry)"
    table = "audience" if trigger.when.audience else table
    tables = {column: "added" if trigger.when.of and column == "product_id" else table for column in trigger.reasons}
    return " || '/' || ".join(f"cast({tables[column]}.{quoted(column)} as varchar)" for column in trigger.reasons)


def _mark(warehouse: Warehouse, trigger: Trigger, now: datetime) -> tuple[datetime | None, datetime]:
    """Give the newest landing that was read, and since when the trigger exists."""
    known = warehouse.execute(
        "select landed_at, since from activation.trigger_marks where trigger_name = ?", [trigger.name]
    )
    if known:
        return known[0]
    # An event that is waiting when the trigger comes is still worth an answer; an audience's past isn't.
    since = now - trigger.wait - trigger.expires if trigger.when.event else now
    warehouse.execute(
        "insert into activation.trigger_marks (trigger_name, since) "
        f"values ('{trigger.name}', {moment(since)}) on conflict do nothing"
    )
    if trigger.when.enters or trigger.when.leaves:
        warehouse.execute(_CROSS[1].format(**_crossing(trigger, now), entry=0))
    return None, since


def _crossing(trigger: Trigger, now: datetime) -> dict[str, str]:
    return {"name": trigger.name, "now": moment(now), "audience": quoted(trigger.when.audience or "")}


def _cross(warehouse: Warehouse, trigger: Trigger, now: datetime) -> None:
    """Note who entered or left since the last look."""
    for statement in _CROSS:
        warehouse.execute(statement.format(**_crossing(trigger, now), entry=1))


def _advance(warehouse: Warehouse, trigger: Trigger, landed: str) -> None:
    warehouse.execute(
        f"""
        update activation.trigger_marks set landed_at = greatest(
            landed_at, (select max(events._landed_at) from profiles.profile_events as events where true {landed})
        ) where trigger_name = '{trigger.name}'
        """
    )

"""What a firing is opened for: new events, rows of an audience, people who entered or left one. Only SQL is written."""

from datetime import datetime, timedelta
from enum import Enum

from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.trigger import ENTRY, EVER, Trigger
from reverse_etl.warehouse import quoted

CLOCK_SKEW = timedelta(minutes=5)
RECENT = timedelta(minutes=2)


class Look(Enum):
    """How far back to look for what opened nothing yet."""

    NEW = 1  # events that landed since the last look; rows of whom something changed, or of the last minutes
    RECENT = 2  # events of the last minutes too: who went into a cart may land after the order
    ALL = 3  # all that could still matter: what a load or a build brought, events whose person became known later


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
    {news}
"""
_CART = """
inner join (
    select cart_id, product_id
    from profiles.profile_events
    where event_name = 'Product Added' and product_id is not null and cart_id in (
        select events.cart_id from profiles.profile_events as events
        where events.event_name = '{event}' and events.cart_id is not null {news}
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
    {news}
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


def occasions(trigger: Trigger, now: datetime, since: datetime, news: str) -> str:
    """Write SQL: a row for each person and reason. `news` is a condition on rows; what was before `since` is none.

    Who is late by the whole span between due and expiry can't be told any more.
    """
    when = trigger.when
    common = {
        "now": moment(now),
        "since": moment(since),
        "news": news,
        "oldest": moment(oldest(trigger, now)),
        "reason": _reason(trigger, "events" if when.event else "members" if not when.rows else "audience"),
    }
    if when.event:
        cart = _CART.format(event=when.event, news=news)
        products, joined = ("added", cart) if when.of else ("events", "")
        return _EVENTS.format(**common, event=when.event, skew=interval(CLOCK_SKEW), products=products, joined=joined)
    audience = quoted(when.audience or "")
    if when.rows:
        has_product = "product_id" in trigger.reasons
        product = "cast(audience.product_id as varchar)" if has_product else "cast(null as varchar)"
        return _ROWS.format(**common, audience=audience, at=quoted(when.at or ""), product=product)
    joined = f"inner join audiences.{audience} as audience on members.profile_id = audience.profile_id"
    return _CROSSINGS.format(
        **common, name=trigger.name, is_in=bool(when.enters), audience=joined if when.enters else ""
    )


def oldest(trigger: Trigger, now: datetime) -> datetime:
    """Of what happened before that nothing can be told any more."""
    return now - trigger.wait - trigger.expires


def _reason(trigger: Trigger, table: str) -> str:
    """Write SQL for what makes it another reason; no column may be null."""
    if trigger.reasons == (EVER,):
        return f"'{EVER}'"
    if trigger.reasons == (ENTRY,):
        return "concat('entry_', members.entry)"
    table = "audience" if trigger.when.audience else table
    tables = {column: "added" if trigger.when.of and column == "product_id" else table for column in trigger.reasons}
    return " || '/' || ".join(f"cast({tables[column]}.{quoted(column)} as varchar)" for column in trigger.reasons)

"""Whether somebody has bought meanwhile: anything, or the product it is about."""

from datetime import datetime, timedelta

from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.trigger import Trigger

SLACK = timedelta(days=1)  # by which the clock of a cart may differ from that of its order

# `oldest` is before all that a candidate who isn't late asks for: only the newest part of the tables is read.
# The shop's own event often arrives before the order. Of one cart, neither clock decides.
_BOUGHT = """
select candidates.message_id
from candidates
inner join (
    select profile_id, ordered_at
    from profiles.orders
    where not coalesce(is_cancelled, false) and ordered_at >= {oldest}
        and profile_id in (select person_id from candidates where person_id is not null)
) as orders on candidates.person_id = orders.profile_id
where orders.ordered_at >= candidates.occurred_at - {within}
union
select candidates.message_id
from candidates
inner join (
    select profile_id, cart_id, occurred_at
    from profiles.profile_events
    where event_name = 'Order Completed' and occurred_at >= {oldest}
        and profile_id in (select person_id from candidates where person_id is not null)
) as events on candidates.person_id = events.profile_id
where events.occurred_at >= candidates.occurred_at - {within} or events.cart_id = candidates.cart_id
"""
_BOUGHT_PRODUCT = """
with

-- most have bought nothing, and then nothing is read of carts
done as (

    select cart_id, occurred_at
    from profiles.profile_events
    where event_name = 'Order Completed' and occurred_at >= {oldest}
        and profile_id in (select person_id from candidates where person_id is not null)

)

select candidates.message_id
from candidates
inner join (
    select order_key, profile_id, ordered_at
    from profiles.orders
    where not coalesce(is_cancelled, false) and ordered_at >= {oldest}
        and profile_id in (select person_id from candidates where person_id is not null)
) as orders on candidates.person_id = orders.profile_id
inner join (
    select order_key, product_id
    from profiles.order_lines
    where order_key in (
        select order_key from profiles.orders
        where ordered_at >= {oldest} and profile_id in (select person_id from candidates where person_id is not null)
    )
) as lines on orders.order_key = lines.order_key and candidates.product_id = lines.product_id
where orders.ordered_at >= candidates.occurred_at - {within}
union
select candidates.message_id
from candidates
inner join (
    select profile_id, product_id, cart_id
    from profiles.profile_events
    where event_name = 'Product Added' and occurred_at >= {oldest} - interval '7 days'
        and cart_id in (select cart_id from done where cart_id is not null)
) as added on candidates.person_id = added.profile_id and candidates.product_id = added.product_id
inner join done on added.cart_id = done.cart_id
where done.occurred_at >= candidates.occurred_at - {within}
"""
_NOT_BOUGHT = "select message_id from candidates where false"


def bought_sql(trigger: Trigger, now: datetime) -> str:
    """Write SQL: the message of each candidate who has bought."""
    sql = {"anything": _BOUGHT, "product": _BOUGHT_PRODUCT, "never": _NOT_BOUGHT}[trigger.unless_bought]
    oldest = now - trigger.wait - trigger.expires - trigger.bought_within - SLACK
    return sql.format(within=interval(trigger.bought_within), oldest=moment(oldest))

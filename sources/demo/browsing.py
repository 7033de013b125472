"""The web shop's event stream in Segment's shape, with the faults real streams have."""

import duckdb

# `fraction`: when in the visit a step happens, 0 = start, 1 = end; who logs in is known from 0.35 on.
STEPS = """
create table step as
select
    visit.*, 'page' as type, cast(null as varchar) as event, 0.0 as fraction,
    cast(null as varchar) as product_id
from visit
union all
select visit.*, 'identify', null, 0.35, null from visit where logs_in
union all
select visit.*, 'track', 'Product Viewed', 0.1 * position, product_id
from visit inner join item using (basket_id)
where (why <> 'look' or position <= 2)
union all
select visit.*, 'track', 'Product Added', 0.4 + 0.1 * position, product_id
from visit inner join item using (basket_id)
where why in ('order', 'cart') and position <= 2
union all
select visit.*, 'track', 'Checkout Started', 0.8, null from visit
where why = 'order' or (why = 'cart' and dice(visit_id, 'checkout') < 0.45)
union all
select visit.*, 'track', 'Order Completed', 1.0, null from visit where why = 'order'
"""

BASKET_JSON = """
create table basket_json as
select
    item.basket_id,
    to_json(list({
        'product_id': item.product_id, 'name': item.title, 'price': item.price, 'quantity': item.quantity
    } order by position)) as products,
    max(basket.total_amount) as total
from item inner join basket using (basket_id)
group by item.basket_id
"""

# `fault` is uniform in [0, 1): the first thousandths of page views and product views are broken on purpose.
SHAPED = """
create table shaped as
with keyed as (
    select *, concat_ws('|', visit_id, event, fraction) as k from step
)
select
    keyed.*,
    uuid_of(k, 'message') as message_id,
    started_at + seconds(epoch(ended_at - started_at) * fraction) as happened_at,
    case when fraction >= 0.35 and logs_in then user_id end as known_user_id,
    case when why = 'order' or why = 'cart' then concat('cart-', md5(visit_id)[1:12]) end as cart_id,
    case when fraction < 0.35 then dice(k, 'fault') else 1 end as fault,
    dice(k, 'travel') as travel,
    case
        when why = 'landing' then '/deals'
        when type = 'page' then pick(visit_id, 'path', ['/', '/', '/deals', '/search', '/recipes'])
        when product_id is not null then concat('/products/', product_id)
        when event is not null then '/checkout' else '/account' end as path
from keyed
"""

EVENTS = """
create table event_row as
select
    case when travel < 0.01 and happened_at + interval 4 day < {end}
        then happened_at + seconds(86400 * 0.5 + 86400 * 300 * travel)
        else happened_at + interval 2 second end as _at,
    person_id as _person,
    case when fault < 0.0006 then null else message_id end as "messageId",
    case when type = 'page' and device_id is not null and why not in ('landing', 'kiosk') then 'screen'
        else type end as type,
    case when fault between 0.0006 and 0.0030 then null else event end as event,
    case when type <> 'page' then null when path = '/' then 'Home'
        else upper(path[2:2]) || path[3:] end as name,
    case when fault between 0.0030 and 0.0040 then null else anonymous_id end as "anonymousId",
    case when fault between 0.0030 and 0.0040 then null else known_user_id end as "userId",
    case
        when fault between 0.0040 and 0.0050
            then pick(message_id, 'bad time', ['yesterday', '2026-13-45T99:00:00Z', ''])
        when fault between 0.0050 and 0.0058 then iso(happened_at + interval 400 day)
        else strftime(happened_at, '%Y-%m-%dT%H:%M:%S.%gZ') end as timestamp,
    iso(happened_at) as "originalTimestamp",
    iso(happened_at + interval 1 second) as "sentAt",
    iso(_at) as "receivedAt",
    {context} as context,
    {properties} as properties,
    case when type = 'identify' then json_object(
        'email', coalesce(case when dice(visit_id, 'trait') < 0.3 then email_2 end, email_1),
        'phone', case when dice(visit_id, 'trait') > 0.6 then phone_1 end,
        'firstName', first_name, 'lastName', last_name) else json('{{}}') end as traits,
    'demo_web_shop' as "writeKey"
from shaped
left join item using (basket_id, product_id)
left join basket_json using (basket_id)
"""

CONTEXT = """json_object(
        'ip', address_in(network, device),
        'userAgent', case
            when why = 'bot' then pick(visit_id, 'bot agent', [
                'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
                'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
                'python-requests/2.32'])
            else agent_of(device, kind_of(device, device_id)) end,
        'device', case when device_id is not null then json_object(
            'id', device_id, 'type', case why when 'kiosk' then 'kiosk' else 'mobile' end) end,
        'screen', json_object(
            'width', screen_of(device, kind_of(device, device_id))[1],
            'height', screen_of(device, kind_of(device, device_id))[2]),
        'page', case when type <> 'identify' then json_object(
            'path', path, 'url', concat('https://shop.example.com', path, query), 'search', query,
            'referrer', case why when 'look' then 'https://search.example.org/' else '' end) end,
        'campaign', case when why = 'landing' then json_object('source', 'newsletter', 'medium', 'email') end,
        'consent', json_object('categoryPreferences', json_object(
            'analytics', not refuses_analytics,
            'advertising', not refuses_analytics and dice(anonymous_id, 'ads cookie') < 0.7)))"""

PROPERTIES = """case
        when type = 'identify' then json('{{}}')
        when type = 'page'
            then json_object('path', path, 'url', concat('https://shop.example.com', path, query))
        when event = 'Order Completed' then json_object(
            'order_id', basket_id, 'cart_id', cart_id, 'revenue', total, 'total', total, 'currency', 'USD',
            'email', case when dice(visit_id, 'tells email') < 0.5 then coalesce(email_1, email_2) end,
            'products', products)
        when event = 'Checkout Started' then json_object(
            'cart_id', cart_id, 'value', total, 'currency', 'USD', 'products', products)
        else json_object(
            'product_id', product_id, 'name', title, 'category', category, 'brand', brand, 'price', price,
            'currency', 'USD', 'quantity', case when event = 'Product Added' then quantity end,
            'cart_id', case when event = 'Product Added' then cart_id end) end"""

# A retrying SDK sends the same message again, seconds or a day later.
RETRIES = """
create table files.web_events__events as
select * from event_row
union all
select * replace (least(later, {end}) as _at, iso(least(later, {end})) as "receivedAt")
from (
    select *, _at + seconds(case when dice("messageId", 'retry') < 0.003 then 86000 else 9 end) as later
    from event_row where dice("messageId", 'retry') < 0.015
)
"""


def write_events(warehouse: duckdb.DuckDBPyConnection, end: str) -> None:
    """Create the files table of web_events from `visit` and `item`."""
    warehouse.execute(STEPS)
    warehouse.execute(BASKET_JSON)
    warehouse.execute(SHAPED)
    warehouse.execute("alter table shaped add column query varchar")
    warehouse.execute("""
        update shaped set query = concat('?utm_source=newsletter&utm_medium=email&eh=', email_sha256)
        where why = 'landing' and type = 'page'
    """)
    warehouse.execute(EVENTS.replace("{context}", CONTEXT).replace("{properties}", PROPERTIES).format(end=end))
    warehouse.execute(RETRIES.replace("select * replace", "select * exclude (later) replace").format(end=end))

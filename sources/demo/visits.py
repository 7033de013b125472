"""Why people visit the web shop: an order, a look before buying in store, an e-mail, a cart left behind."""

import duckdb

# `why`: order | cart (abandoned) | look (research before a store visit) | landing | kiosk | bot.
REASONS = """
create table reason as
select
    concat('o', basket_id) as visit_id, 'order' as why, n, basket_id, cast(null as varchar) as email_sha256,
    sold_at - seconds(600 + 1800 * dice(basket_id, 'thinks')) as started_at, sold_at as ended_at,
    not is_guest and dice(basket_id, 'logs in') < 0.85 as logs_in
from web_order
union all
select concat('l', basket_id), 'look', n, basket_id, null, left_at, left_at + interval 7 minute,
    dice(basket_id, 'logs in') < 0.25
from (
    select *, sold_at - seconds(86400 * (0.1 + 6 * dice(basket_id, 'looks'))) as left_at
    from basket where not is_web
) where dice(basket_id, 'researches') < 0.27
union all
select concat('e', send_id), 'landing', n, null, sha256(lower(trim(email))), happened_at + interval 3 second,
    happened_at + interval 5 minute, dice(send_id, 'logs in') < 0.15
from engagement where metric = 'Clicked Email' and happened_at < {end} - interval 10 minute
union all
select
    concat('k', basket_id), 'kiosk', n, null, null,
    sold_at - interval 15 minute, sold_at - interval 12 minute, true
from basket where not is_web and dice(basket_id, 'kiosk') < 0.012
"""

# Rounds 1 to 3 are spread over the year; round 4 lies within the last week, half of it in the last 30 hours.
CARTS = """
create table left_cart as
with rounds as (
    select n, round, concat(n, '-', round) as k
    from person cross join unnest([1, 2, 3, 4]) as rounds(round)
    where dice(concat(n, '-', round), 'leaves a cart') < case when round = 4 then 0.10 else 0.16 end
), chosen as (
    select rounds.*, basket.basket_id, row_number() over (
        partition by k order by dice(concat(k, basket.basket_id), 'which basket'), basket.basket_id
    ) as choice
    from rounds inner join basket using (n)
    where not basket.has_fuel
)
select
    k, n, basket_id,
    case
        when round = 4 and dice(k, 'very recent') < 0.5 then {end} - seconds(108000 * dice(k, 'left at'))
        when round = 4 then {end} - seconds(604800 * dice(k, 'left at'))
        else {end} - seconds(86400 * (7 + 350 * dice(k, 'left at'))) end - interval 15 minute as left_at
from chosen where choice = 1
"""

BOTS = """
create table bot_visit as
with numbered as (
    select basket_id, row_number() over (order by dice(basket_id, 'crawled'), basket_id) as place from basket
)
select
    concat('b', place) as visit_id,
    {end} - seconds(86400 * 300 * dice(place, 'bot')) as started_at,
    basket_id
from numbered where place <= 20 + {people} // 4
"""

# Most visits use the cookie of that time of the year; one in six the next one, which is on the other device. A cookie
# is gone for good when the one after the next begins, as when a browser is cleared.
VISITS = """
create table visit as
with wanted as (
    select * from reason
    union all
    select
        concat('c', k), 'cart', n, basket_id, null, left_at - interval 10 minute, left_at,
        dice(k, 'logs in') < 0.75
    from left_cart
), placed as (
    select
        wanted.*, person.person_id, person.user_id, person.email_1, person.email_2, person.phone_1,
        person.first_name, person.last_name,
        person.cookie_count, least(person.cookie_count, 1 + greatest(0, cast(floor(
            cookie_count * (1 - (epoch({end}) - epoch(started_at)) / 33000000.0)) as bigint))) as period
    from wanted inner join person using (n)
    where person.is_web
), carried as (
    select *, case
        when dice(visit_id, 'other cookie') >= 0.16 then period
        when period < cookie_count then period + 1
        else greatest(1, period - 1) end as cookie_no
    from placed
)
select
    carried.* exclude (period, cookie_count, cookie_no, logs_in),
    logs_in and user_id is not null as logs_in,
    case when why = 'kiosk' then uuid_of(n % 6, 'kiosk') else anonymous_id end as anonymous_id,
    case when why = 'kiosk' then concat('kiosk-', n % 6) else device_id end as device_id,
    coalesce(refuses_analytics and why <> 'kiosk', false) as refuses_analytics,
    case when why = 'kiosk' then concat('kiosk-', n % 6) else device end as device,
    case
        when why = 'kiosk' then concat('192.0.2.', n % 6)
        when kind_of(device, device_id) <> 'desktop' and dice(visit_id, 'away') < 0.25
            then shared_ipv4('198.51.100.', visit_id)
        else network end as network
from carried inner join cookie using (n, cookie_no)
union all
select
    visit_id, 'bot', null, basket_id, null, started_at, started_at + interval 1 minute, null, null, null,
    null, null, null, null, false, uuid_of(visit_id, 'bot'), null, false, visit_id,
    shared_ipv4('203.0.113.', visit_id)
from bot_visit
"""

ITEMS = """
create table item as
with ranked as (
    select
        line.basket_id, line.product_id, product.title, product.category, product.brand, line.quantity,
        cast(round((line.sales_amount) / greatest(line.quantity, 1), 2) as decimal(18, 2)) as price,
        row_number() over (
            partition by line.basket_id
            order by dice(concat(line.basket_id, line.product_id), 'item'), line.product_id
        ) as position
    from line inner join product using (product_id)
    where line.quantity between 1 and 100
)
select * from ranked where position <= 3
"""


def plan_visits(warehouse: duckdb.DuckDBPyConnection, people: int, end: str) -> None:
    """Create `visit` (who, when, why, with which cookie) and `item` (at most three products per basket)."""
    for statement in (REASONS, CARTS, BOTS, VISITS, ITEMS):
        warehouse.execute(statement.format(end=end, people=people))

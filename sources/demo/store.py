"""The shop floor's exports: receipts, lines, loyalty members, coupon redemptions, products and coupons."""

from datetime import date

import duckdb

from sources.demo.purchases import LAST_DAY_IN_DATA

RECEIPTS = """
create macro next_night(k, moment, last_moment) as
    case when dice(k, 'next night') < 0.5 then least(moment + interval 1 day, last_moment) else moment end;

create table receipt as
select
    basket.sold_at as _at,
    person.person_id as _person,
    concat('R-', basket.basket_id) as receipt_id,
    basket.store_id,
    concat(basket.store_id, '-', pick(basket.basket_id, 'register', [1, 2, 3, 4, 5, 6])) as register_id,
    strftime(basket.sold_at, '%Y-%m-%d %H:%M:%S') as sold_at,
    case when dice(basket.basket_id, 'shows card') < 0.90 then person.loyalty_number end as loyalty_number,
    basket.total_amount,
    basket.discount_amount,
    'USD' as currency,
    case when dice(basket.basket_id, 'e-receipt') < 0.12
        then dirty_email(pick(basket.basket_id, 'which email', person.emails), basket.basket_id) end
        as receipt_email,
    pick(basket.basket_id, 'tender', ['card', 'card', 'card', 'cash', 'mobile']) as payment_method
from basket
inner join person using (n)
where not basket.is_web
"""

# Exported twice (same or next night), or typed again by another till: same receipt, other spacing and format.
RECEIPT_FILES = """
create table files.store_receipts__receipts as
select * from receipt
union all
select * replace (next_night(receipt_id, _at, {end}) as _at) from receipt
where dice(receipt_id, 'exported twice') < 0.005
union all
select * replace (
    concat(' ', lower(receipt_id), ' ') as receipt_id,
    pick(receipt_id, 'format', [iso(_at), strftime(_at, '%Y/%m/%d %H:%M:%S')]) as sold_at,
    concat(' ', loyalty_number) as loyalty_number,
    upper(receipt_email) as receipt_email
) from receipt where dice(receipt_id, 'near twice') < 0.003
"""

RECEIPT_LINES = """
create table receipt_line as
select
    basket.sold_at as _at,
    person.person_id as _person,
    concat('R-', line.basket_id) as receipt_id,
    line.line_number,
    line.product_id,
    line.quantity,
    line.sales_amount,
    line.retail_discount as retail_discount_amount,
    line.coupon_discount as coupon_discount_amount
from line
inner join basket using (basket_id)
inner join person on person.n = basket.n
where not basket.is_web;

create table files.store_receipts__receipt_lines as
select * from receipt_line
union all
select * replace (next_night(receipt_id, _at, {end}) as _at) from receipt_line
where dice(receipt_id, 'exported twice') < 0.005
"""

MEMBERS = """
create table files.store_receipts__loyalty_members as
select
    case when updated_at > joined_at then updated_at end as _at,
    person_id as _person,
    loyalty_number,
    household_key as household_id,
    case when dice(n, 'loyalty placeholder') < 0.003 then 'Customer'
        else dirty_name(first_name, concat('l', n)) end as first_name,
    dirty_name(last_name, concat('l', n)) as last_name,
    case when dice(n, 'loyalty contact') > 0.15 then dirty_email(email_1, concat('l', n)) end as email,
    case when dice(n, 'loyalty contact') < 0.80 then dirty_phone(phone_1, concat('l', n)) end as phone,
    birth_date,
    address_line as address_line_1,
    city,
    postal_code,
    pick(n, 'loyalty country', ['US', 'US', 'US', 'USA', 'us', 'United States']) as country_code,
    d.age as age_band,
    d.income as income_band,
    d.household_size,
    joined_at,
    updated_at
from (
    select
        *, {end} - seconds(86400 * (370 + 700 * dice(n, 'joined'))) as joined_at,
        case when dice(n, 'edited') < 0.04 then {end} - seconds(604000 * dice(n, 'edited at'))
            else joined_at end as updated_at
    from person where loyalty_number is not null
) as member
left join demographics as d on d.household_id = member.household_id
"""

REDEMPTIONS = """
create table files.store_receipts__coupon_redemptions as
select
    cast(r.redemption_date as timestamp) + to_days({shift}) as _at,
    person.person_id as _person,
    person.loyalty_number,
    cast(r.coupon_upc as varchar) as coupon_upc,
    cast(r.campaign_id as varchar) as campaign_id,
    cast(cast(r.redemption_date as date) + {shift} as date) as redeemed_on
from coupon_redemptions as r
inner join person using (household_id)
where person.loyalty_number is not null
    and cast(r.redemption_date as date) + {shift} <= cast({end} as date)
"""

CATALOGUE = """
create table files.products__products as
select
    cast(null as timestamp) as _at, cast(null as varchar) as _person, product_id, title, brand as vendor,
    department, category, product_type, package_size, price,
    cast({end} as date) - 364 + time '06:00:00' as updated_at
from product;

create table files.products__coupons as
select
    cast(null as timestamp) as _at, cast(null as varchar) as _person,
    cast(coupon_upc as varchar) as coupon_upc, cast(product_id as varchar) as product_id,
    cast(campaign_id as varchar) as campaign_id
from coupons
where cast(product_id as varchar) in (select product_id from product)
    and dice(concat(coupon_upc, '-', product_id), 'coupon') < 0.25
"""


def write_store(warehouse: duckdb.DuckDBPyConnection, last_day: date, end: str) -> None:
    """Create the store's files tables; `end` is the SQL literal of the last moment."""
    warehouse.execute(RECEIPTS)
    warehouse.execute(RECEIPT_FILES.format(end=end))
    warehouse.execute(RECEIPT_LINES.format(end=end))
    warehouse.execute(MEMBERS.format(end=end))
    warehouse.execute(REDEMPTIONS.format(end=end, shift=(last_day - LAST_DAY_IN_DATA).days))
    warehouse.execute(CATALOGUE.format(end=end))

"""The web shop's exports: orders (placed, then settled), lines, payments, refunds and shipments."""

import duckdb

# `_at` of every table is when the row became known; a later version of the same order is a later row.
WEB_ORDERS = """
create table web_order as
with placed as (
    select
        basket.*, person.person_id, person.user_id, person.first_name, person.last_name, person.address_line,
        person.city, person.postal_code, person.card,
        concat('#', 10000 + row_number() over (order by basket.sold_at, basket.basket_id)) as order_name,
        pick(basket_id, 'which email', person.emails) as email,
        case when dice(basket_id, 'gives phone') < 0.55
            then pick(basket_id, 'which phone', person.phones) end as phone,
        dice(basket_id, 'cancelled') < 0.04 as will_cancel,
        dice(basket_id, 'refunded') < 0.05 as will_refund
    from basket inner join person using (n)
    where basket.is_web
)
select
    *,
    case when not is_guest then user_id end as customer_id,
    sold_at + seconds(3600 * (2 + 30 * dice(basket_id, 'settles'))) as settled_at,
    sold_at + seconds(86400 * (2 + 4 * dice(basket_id, 'delivered'))) as delivered_at,
    sold_at + seconds(86400 * (3 + 12 * dice(basket_id, 'refund at'))) as refunded_at,
    cast(round(total_amount * 100) as bigint) as cents
from placed
"""

ORDERS = """
create table files.web_orders__orders as
with versions as (
    select *, 1 as version, sold_at as _at from web_order
    union all
    select *, 2 as version, settled_at as _at from web_order where settled_at <= {end}
)
select
    _at,
    person_id as _person,
    basket_id as id,
    order_name as name,
    customer_id,
    dirty_email(email, concat('o', basket_id)) as email,
    dirty_phone(phone, concat('o', basket_id)) as phone,
    iso(sold_at) as created_at,
    iso(_at) as updated_at,
    case when version = 2 and will_cancel then iso(settled_at) end as cancelled_at,
    case when version = 2 and will_cancel
        then pick(basket_id, 'why', ['customer', 'inventory', 'fraud', 'declined']) end as cancel_reason,
    'USD' as currency,
    total_amount + discount_amount as subtotal_price,
    discount_amount as total_discounts,
    total_amount as total_price,
    case when version = 2 and will_cancel then 'refunded' else 'paid' end as financial_status,
    case when version = 2 and not will_cancel then 'fulfilled' end as fulfillment_status,
    address_in(home_network(n), concat(n, '-1')) as browser_ip,
    md5(concat('checkout', basket_id)) as checkout_token,
    dirty_name(first_name, concat('o', basket_id)) as shipping_address_first_name,
    dirty_name(last_name, concat('o', basket_id)) as shipping_address_last_name,
    address_line as shipping_address_address_1,
    city as shipping_address_city,
    postal_code as shipping_address_zip,
    'US' as shipping_address_country_code,
    case when discount_amount > 5 then json('[{{"code": "BASKET", "type": "percentage"}}]')
        else json('[]') end as discount_codes,
    json('[{{"name": "source", "value": "web"}}]') as note_attributes
from versions
"""

ORDER_LINES = """
create table files.web_orders__order_lines as
select
    basket.sold_at as _at,
    person.person_id as _person,
    concat(line.basket_id, '-', line.line_number) as id,
    line.basket_id as order_id,
    line.line_number as index,
    line.product_id,
    product.title,
    line.quantity,
    line.sales_amount + line.retail_discount + line.coupon_discount as price,
    line.retail_discount + line.coupon_discount as total_discount
from line
inner join basket using (basket_id)
inner join person on person.n = basket.n
left join product on product.product_id = line.product_id
where basket.is_web
"""

PAYMENTS = """
create table files.finance__payments as
with attempts as (
    select *, 'succeeded' as status, sold_at as paid_at, 2 as attempt from web_order
    union all
    select *, 'failed' as status, sold_at - interval 40 second as paid_at, 1 as attempt from web_order
    where dice(basket_id, 'card declined') < 0.06
)
select
    paid_at as _at,
    person_id as _person,
    concat('ch_', basket_id, '_', attempt) as id,
    cents as amount,
    case when status = 'failed' then 0
        when will_cancel and settled_at <= {end} then cents
        when will_refund and refunded_at <= {end} and not will_cancel then cents // 2
        else 0 end as amount_refunded,
    'usd' as currency,
    iso(paid_at) as created,
    customer_id,
    dirty_email(email, concat('p', basket_id)) as receipt_email,
    concat('pi_', basket_id) as payment_intent_id,
    basket_id as order_id,
    status = 'succeeded' as paid,
    status,
    case when status = 'failed'
        then pick(basket_id, 'failure', ['card_declined', 'insufficient_funds', 'expired_card']) end
        as failure_code,
    card as card_fingerprint
from attempts
"""

REFUNDS = """
create table files.finance__refunds as
with refunds as (
    select *, settled_at as given_at, cents as returned, 'requested_by_customer' as reason
    from web_order where will_cancel
    union all
    select *, refunded_at as given_at, cents // 2 as returned, pick(basket_id, 'refund why',
        ['requested_by_customer', 'duplicate', 'requested_by_customer']) as reason
    from web_order where will_refund and not will_cancel
)
select
    given_at as _at, person_id as _person, concat('re_', basket_id) as id,
    concat('ch_', basket_id, '_2') as charge_id, returned as amount, 'usd' as currency,
    iso(given_at) as created, reason, 'succeeded' as status, basket_id as order_id
from refunds
where given_at <= {end}
"""

SHIPMENTS = """
create table files.shipping__shipments as
with moves as (
    select *, 'in_transit' as shipment_status, settled_at as _at from web_order
    union all
    select *, 'delivered' as shipment_status, delivered_at as _at from web_order
)
select
    _at,
    person_id as _person,
    concat('shp-', basket_id) as id,
    basket_id as order_id,
    'success' as status,
    shipment_status,
    pick(basket_id, 'carrier', ['UPS', 'USPS', 'FedEx']) as tracking_company,
    concat('1Z', digits_of(basket_id, 'tracking', 14)) as tracking_number,
    concat(first_name, ' ', last_name) as recipient_name,
    dirty_phone(phone, concat('s', basket_id)) as recipient_phone,
    iso(settled_at) as created_at,
    iso(_at) as updated_at,
    case when shipment_status = 'delivered' then iso(delivered_at) end as delivered_at
from moves
where not will_cancel and _at <= {end}
"""


def write_shop(warehouse: duckdb.DuckDBPyConnection, end: str) -> None:
    """Create `web_order` and the files tables of web_orders, finance and shipping."""
    for statement in (WEB_ORDERS, ORDERS, ORDER_LINES, PAYMENTS, REFUNDS, SHIPMENTS):
        warehouse.execute(statement.format(end=end))

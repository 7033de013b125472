"""What was bought hangs together: orders, receipts, money and the browsing that led there."""

import pytest


def orphans(query, child: str, key: str, parent: str, parent_key: str) -> int:
    return query(f"""
        select count(*) from {child} where {key} is not null
        and trim({key}::varchar) not in (select upper(trim({parent_key}::varchar)) from {parent})
    """)[0][0]


@pytest.mark.parametrize(
    ("child", "key", "parent", "parent_key"),
    [
        ("web_orders__order_lines", "order_id", "web_orders__orders", "id"),
        ("web_orders__order_lines", "product_id", "products__products", "product_id"),
        ("store_receipts__receipt_lines", "receipt_id", "store_receipts__receipts", "receipt_id"),
        ("store_receipts__receipt_lines", "product_id", "products__products", "product_id"),
        ("store_receipts__receipts", "loyalty_number", "store_receipts__loyalty_members", "loyalty_number"),
        ("support__comments", "user_id", "support__users", "id"),
        ("finance__payments", "order_id", "web_orders__orders", "id"),
        ("finance__refunds", "order_id", "web_orders__orders", "id"),
        ("shipping__shipments", "order_id", "web_orders__orders", "id"),
        ("support__tickets", "requester_id", "support__users", "id"),
        ("support__comments", "ticket_id", "support__tickets", "id"),
        ("email_engagement__events", "campaign_id", "email_engagement__campaigns", "id"),
    ],
)  # fmt: skip
def test_every_row_points_to_a_row_that_exists(query, child, key, parent, parent_key):
    assert orphans(query, child, key, parent, parent_key) == 0


def test_the_lines_of_an_order_add_up_to_its_total(query):
    found = query("""
        select count(*) from (
            select order_id, round(sum(price) - sum(total_discount), 2) as total
            from web_orders__order_lines group by order_id
        ) as lines inner join web_orders__orders as orders on orders.id = lines.order_id
        where abs(lines.total - orders.total_price) > 0.001
    """)
    assert found == [(0,)]


def test_a_successful_payment_is_the_order_total_in_cents(query):
    found = query("""
        select count(*) from finance__payments p
        inner join (select distinct id, total_price from web_orders__orders) o on o.id = p.order_id
        where p.paid and p.amount <> round(o.total_price * 100)
    """)
    assert found == [(0,)]


def test_a_web_order_ends_a_visit_that_viewed_its_products(query):
    found = query("""
        select count(*) from (
            select "anonymousId" as visitor, properties.order_id as order_id,
                "originalTimestamp" as ordered_at
            from web_events__events where event = 'Order Completed'
        ) as orders
        where not exists (
            select 1 from web_events__events e
            inner join web_orders__order_lines l on l.product_id = e.properties.product_id
            where e."anonymousId" = orders.visitor and l.order_id = orders.order_id
                and e."originalTimestamp" < orders.ordered_at
        )
    """)[0][0]
    assert found <= 1  # unless the only product view is one of the broken events


def test_some_carts_were_abandoned_in_the_last_week(query):
    [(recent,)] = query("""
        select count(distinct properties.cart_id) from web_events__events
        where event = 'Product Added' and "originalTimestamp" > timestamp '2026-03-04'
            and properties.cart_id not in (
                select properties.cart_id from web_events__events where event = 'Order Completed'
            )
    """)
    assert recent >= 3


def test_about_a_fifth_of_the_baskets_are_web_orders_and_a_fifth_of_these_guests(query):
    [(orders, guests)] = query("""
        select count(*), count(*) filter (customer_id is null)
        from web_orders__orders where created_at = updated_at
    """)
    [(receipts,)] = query("select count(distinct upper(trim(receipt_id))) from store_receipts__receipts")
    assert 0.15 < orders / (orders + receipts) < 0.27
    assert 0.12 < guests / orders < 0.40

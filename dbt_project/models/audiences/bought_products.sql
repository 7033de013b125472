{#- What each person bought in the last 30 days, product by product, the latest time. -#}

with

orders as (

    select * from {{ ref('orders') }}
    where profile_id is not null
        and not coalesce(is_cancelled, false)

),

events as (

    select * from {{ ref('profile_events') }} where profile_id is not null

),

-- the shop's event often arrives before the order: what was in the cart is bought with it
carts as (

    select
        done.profile_id,
        added.product_id,
        done.occurred_at as bought_at
    from events as done
    inner join events as added
        on done.cart_id = added.cart_id
    where done.event_name = 'Order Completed'
        and added.event_name = 'Product Added'
        and added.product_id is not null

),

bought as (

    select orders.profile_id, lines.product_id, orders.ordered_at as bought_at
    from orders
    inner join {{ ref('order_lines') }} as lines
        on orders.order_key = lines.order_key
    where lines.product_id is not null

    union all

    select profile_id, product_id, bought_at from carts

)

select
    profile_id,
    product_id,
    max(bought_at) as bought_at
from bought
where bought_at >= {{ dbt.dateadd('day', -30, dbt.date_trunc('day', cdp_now())) }}
    and bought_at <= {{ cdp_now() }}
group by profile_id, product_id

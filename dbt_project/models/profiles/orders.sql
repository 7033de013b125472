{{ config(materialized='table') }}

with

channel_orders as (

    select * from {{ ref('channel_orders') }}

),

researched as (

    select distinct store.order_id
    from channel_orders as store
    inner join {{ ref('order_lines') }} as lines
        on store.order_id = lines.order_id
        and lines.channel = 'store'
    inner join {{ ref('profile_events') }} as views
        on store.profile_id = views.profile_id
        and lines.product_id = views.product_id
    where store.channel = 'store'
        and views.event_name = 'Product Viewed'
        and views.occurred_at <= store.ordered_at
        and views.occurred_at > {{ dbt.dateadd('day', -7, 'store.ordered_at') }}

)

select
    channel_orders.channel || '-' || channel_orders.order_id as order_key,
    channel_orders.order_id,
    channel_orders.channel,
    channel_orders.profile_id,
    channel_orders.store_id,
    channel_orders.currency,
    channel_orders.total_amount,
    channel_orders.discount_amount,
    channel_orders.refunded_amount,
    case
        when channel_orders.is_cancelled or channel_orders.refunded_amount >= channel_orders.total_amount
            then cast(0 as {{ cdp_type_money() }})
        else cast(channel_orders.total_amount - channel_orders.refunded_amount as {{ cdp_type_money() }})
    end as net_amount,
    channel_orders.is_cancelled,
    channel_orders.channel = 'store' and researched.order_id is not null as is_researched_online,
    channel_orders.ordered_at
from channel_orders
left join researched
    on channel_orders.order_id = researched.order_id

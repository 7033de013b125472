{%- set reads = [
    'touched_profiles', 'profiles', 'channel_orders', 'stg_web_orders__order_lines', 'stg_store_receipts__receipt_lines',
    'clock',
] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id',
    reads=reads, tags=['hot']
) }}
{{- per_profile(reads) }}
{#- What each person bought in the last 30 days, product by product, the latest time. -#}

{%- set a_month_ago = dbt.dateadd('day', -30, dbt.date_trunc('day', cdp_now())) %}

with

{% if is_incremental() %}
{{ touched_purchases(a_month_ago) }},

{% endif %}
orders as (

    select * from {{ ref('channel_orders') }}
    where profile_id is not null
        and not is_cancelled
        {{- only_touched(word='and') }}

),

lines as (

    select 'web' as channel, order_id, product_id from {{ ref('stg_web_orders__order_lines') }}
    union all
    select 'store' as channel, receipt_id, product_id from {{ ref('stg_store_receipts__receipt_lines') }}

),

-- the shop's event often arrives before the order: what they had put into the cart is bought with it
done as (

    select profile_id, cart_id, occurred_at
    from {{ ref('profile_events') }}
    where event_name = 'Order Completed'
        and occurred_at >= {{ a_month_ago }}
        and occurred_at <= {{ cdp_now() }}
        and profile_id is not null
        {{- only_touched(word='and') }}

),

carts as (

    select
        done.profile_id,
        added.product_id,
        done.occurred_at as bought_at
    from (
        select * from {{ ref('profile_events') }}
        where event_name = 'Product Added' and cart_id in {{ among('done', 'cart_id') }}
    ) as added
    inner join done
        on added.cart_id = done.cart_id
        and added.profile_id = done.profile_id
    where added.product_id is not null

),

bought as (

    select orders.profile_id, lines.product_id, orders.ordered_at as bought_at
    from orders
    inner join lines
        on orders.order_id = lines.order_id
        and orders.channel = lines.channel
    where lines.product_id is not null

    union all

    select profile_id, product_id, bought_at from carts

)

select
    profile_id,
    product_id,
    max(bought_at) as bought_at,
    1 = 0 as _is_gone
from bought
where bought_at >= {{ a_month_ago }}
    and bought_at <= {{ cdp_now() }}
    and profile_id in (select known.profile_id from {{ touched_rows('profiles') }} as known)
group by profile_id, product_id
{{- gone_rows(2) }}

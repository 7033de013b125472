{#- Whom `bought_products` looks at again. -#}
{% macro touched_purchases(a_month_ago) -%}
unread_lines as (

    select 'web' as channel, lines.order_id
    from {{ ref('stg_web_orders__order_lines') }} as lines
    where {{ is_unmarked('lines._batch', 'stg_web_orders__order_lines') }}
    union distinct
    select 'store' as channel, lines.receipt_id
    from {{ ref('stg_store_receipts__receipt_lines') }} as lines
    where {{ is_unmarked('lines._batch', 'stg_store_receipts__receipt_lines') }}

),

-- also those of whom a purchase has become a month old, or whose clock ran ahead
touched as (

    {{ touched_members() }}
    union distinct
    select orders.profile_id
    from {{ ref('channel_orders') }} as orders
    where {{ is_unmarked('orders._batch', 'channel_orders') }} and orders.profile_id is not null
    union distinct
    select orders.profile_id
    from {{ ref('channel_orders') }} as orders
    inner join unread_lines on orders.order_id = unread_lines.order_id and orders.channel = unread_lines.channel
    where orders.profile_id is not null
    union distinct
    select known.profile_id from {{ this }} as known where known.bought_at < {{ a_month_ago }}
    union distinct
    {{ clocks_ahead(ref('channel_orders'), 'ordered_at', a_month_ago) }}
    union distinct
    {{ clocks_ahead(ref('profile_events'), 'occurred_at', a_month_ago, landed='_landed_at') }}

)
{%- endmacro %}

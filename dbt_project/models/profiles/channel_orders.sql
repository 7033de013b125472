{%- set reads = ['touched_profiles'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key=['channel','order_id'],
    reads=reads, tags=['hot']
) }}
{{- per_profile(reads) }}

{%- set members = ref('profile_identifiers') %}

with

{% if is_incremental() %}
{{ stale_orders(members) }},

{% endif %}
refunds as (

    select order_id, sum(amount) as refunded_amount
    from {{ ref('stg_finance__refunds') }}
    where status = 'succeeded'
    group by order_id

),

web_orders as (

    select * from {{ ref('stg_web_orders__orders') }} {{- only_stale('web', 'order_id') }}

),

receipts as (

    select * from {{ ref('stg_store_receipts__receipts') }} {{- only_stale('store', 'receipt_id') }}

),

web as (

    select
        orders.order_id,
        'web' as channel,
        members.profile_id,
        cast(null as {{ dbt.type_string() }}) as store_id,
        orders.currency,
        orders.total_amount,
        orders.discount_amount,
        cast(coalesce(refunds.refunded_amount, 0) as {{ cdp_type_money() }}) as refunded_amount,
        orders.is_cancelled,
        orders.ordered_at
    from web_orders as orders
    left join {{ told_by(members, 'web_orders', 'order_id') }} as members
        on orders.order_id = members.identifier_value
    left join refunds
        on orders.order_id = refunds.order_id

),

-- a receipt is the card holder's; without a card, the person's whose address it was sent to
store as (

    select
        receipts.receipt_id as order_id,
        'store' as channel,
        coalesce(cards.profile_id, addresses.profile_id) as profile_id,
        receipts.store_id,
        receipts.currency,
        receipts.total_amount,
        receipts.discount_amount,
        cast(0 as {{ cdp_type_money() }}) as refunded_amount,
        false as is_cancelled,
        receipts.sold_at as ordered_at
    from receipts
    left join {{ told_by(members, 'receipts', 'loyalty_number') }} as cards
        on receipts.loyalty_number = cards.identifier_value
    left join {{ told_by(members, 'receipts', 'email') }} as addresses
        on receipts.email = addresses.identifier_value
        and not addresses.is_shared

),

all_orders as (

    select * from web
    union all
    select * from store

)

select
    all_orders.*,
    {{ next_graph_batch() }} as _batch,
    {{ newest(ref('stg_web_orders__orders')) }} as _web_batch,
    {{ newest(ref('stg_finance__refunds')) }} as _refunds_batch,
    {{ newest(ref('stg_store_receipts__receipts')) }} as _store_batch,
    1 = 0 as _is_gone
from all_orders
{{- gone_rows(12, key='order_id, channel', relation='stale') }}

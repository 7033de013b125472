{{ config(materialized='incremental', incremental_strategy='replace', unique_key=['channel', 'order_id'], tags=['hot']) }}

with

members as (

    select * from {{ ref('profile_identifiers') }}

),

{% if is_incremental() %}
touched as (

    {{ unread_profiles() }}

),

touched_members as (

    select identifier_type, identifier_value from members {{- only_touched() }}

),

stale as (

    select 'web' as channel, order_id from {{ ref('stg_web_orders__orders') }} where {{ is_unread('_batch', '_web_batch') }}
    union distinct
    select 'web', order_id from {{ ref('stg_finance__refunds') }} where {{ is_unread('_batch', '_refunds_batch') }}
    union distinct
    select 'web', identifier_value from touched_members where identifier_type = 'order_id'
    union distinct
    select 'store', receipts.receipt_id
    from {{ ref('stg_store_receipts__receipts') }} as receipts
    where {{ is_unread('receipts._batch', '_store_batch') }}
    union distinct
    select 'store', receipts.receipt_id
    from {{ ref('stg_store_receipts__receipts') }} as receipts
    inner join touched_members
        on receipts.loyalty_number = touched_members.identifier_value
        and touched_members.identifier_type = 'loyalty_number'
    union distinct
    select 'store', receipts.receipt_id
    from {{ ref('stg_store_receipts__receipts') }} as receipts
    inner join touched_members
        on receipts.email = touched_members.identifier_value
        and touched_members.identifier_type = 'email'
    union distinct
    select channel, order_id from {{ this }} {{- only_touched() }}

),

{% endif %}
refunds as (

    select order_id, sum(amount) as refunded_amount
    from {{ ref('stg_finance__refunds') }}
    where status = 'succeeded'
    group by order_id

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
    from {{ ref('stg_web_orders__orders') }} as orders
    {%- if is_incremental() %}
    inner join stale on orders.order_id = stale.order_id and stale.channel = 'web'
    {%- endif %}
    left join members
        on orders.order_id = members.identifier_value
        and members.identifier_type = 'order_id'
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
    from {{ ref('stg_store_receipts__receipts') }} as receipts
    {%- if is_incremental() %}
    inner join stale on receipts.receipt_id = stale.order_id and stale.channel = 'store'
    {%- endif %}
    left join members as cards
        on receipts.loyalty_number = cards.identifier_value
        and cards.identifier_type = 'loyalty_number'
    left join members as addresses
        on receipts.email = addresses.identifier_value
        and addresses.identifier_type = 'email'
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
    {{ touched_batch() }} as _touched_batch,
    (select coalesce(max(newest._batch), 0) from {{ ref('stg_web_orders__orders') }} as newest) as _web_batch,
    (select coalesce(max(newest._batch), 0) from {{ ref('stg_finance__refunds') }} as newest) as _refunds_batch,
    (select coalesce(max(newest._batch), 0) from {{ ref('stg_store_receipts__receipts') }} as newest) as _store_batch,
    1 = 0 as _is_gone
from all_orders
{%- if is_incremental() %}

union all

select order_id, channel, null, null, null, null, null, null, null, null, null, null, null, null, null, 1 = 1
from stale
{%- endif %}

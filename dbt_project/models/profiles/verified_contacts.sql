{{ config(materialized='table') }}

-- Opens count though some mail programs open by themselves; bounces don't count against an address, as staging
-- can't tell a full mailbox from one that is no more. An address is known by its hash, which is all that clicks tell.

with

orders as (

    select * from {{ ref('stg_web_orders__orders') }} where not coalesce(is_cancelled, false)

),

delivered as (

    select * from {{ ref('stg_shipping__shipments') }} where delivered_at is not null

),

choices as (

    select * from {{ ref('stg_consent__choices') }}

),

acts as (

    select
        'email' as contact_type,
        coalesce(email_sha256, {{ cdp_sha256('email') }}) as contact_key,
        occurred_at as acted_at
    from {{ ref('stg_email_engagement__events') }}
    where email_event_type in ('opened', 'clicked')

    union all

    select 'email', {{ cdp_sha256('email') }}, sold_at
    from {{ ref('stg_store_receipts__receipts') }}

    union all

    select 'email', {{ cdp_sha256('email') }}, ordered_at
    from orders

    union all

    select 'email', {{ cdp_sha256('email') }}, collected_at
    from choices
    where method = 'double_opt_in'
        and status = 'granted'

    union all

    select 'phone', recipient_phone, delivered_at
    from delivered

    union all

    select 'phone', orders.phone, delivered.delivered_at
    from orders
    inner join delivered
        on orders.order_id = delivered.order_id

    union all

    -- who texts a keyword, be it yes or stop, holds the telephone
    select 'phone', phone, collected_at
    from choices
    where channel = 'sms'
        and method = 'keyword'

)

select
    contact_type,
    contact_key,
    count(*) as act_count,
    min(acted_at) as first_acted_at,
    max(acted_at) as last_acted_at,
    {{ next_graph_batch() }} as _batch
from acts
where contact_key is not null
group by contact_type, contact_key

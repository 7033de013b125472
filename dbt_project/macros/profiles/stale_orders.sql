{#- Orders to look at again: new, changed or refunded ones, and those whose identifiers have come to or left a profile. -#}
{% macro stale_orders(members) -%}
touched as (

    {{ unread_profiles() }}

),

{{ touched_identifiers('touched_members') }},

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

)
{%- endmacro %}

{#- Keeps only orders to look at again in an increment. -#}
{% macro only_stale(channel, key) -%}
    {%- if is_incremental() %} where {{ key }} in (
        select stale.order_id from stale where stale.channel = '{{ channel }}'
    ) {%- endif -%}
{%- endmacro %}

{#- The members that these orders tell of by the identifier that a column holds: of many, those alone. -#}
{% macro told_by(members, orders, identifier_type) -%}
(
        select * from {{ members }}
        where identifier_type = '{{ identifier_type }}' and identifier_value in {{ among(orders, identifier_type) }}
    )
{%- endmacro %}

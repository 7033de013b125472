{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='event_id', tags=['hot']) }}
{%- set by_strength = [
    'user_id', 'loyalty_number', 'order_id', 'email', 'email_sha256', 'phone', 'device_id', 'anonymous_id',
] %}

{%- set members = ref('profile_identifiers') %}

with

{% if is_incremental() %}
{{ stale_events(members) }},
{% endif %}

chosen as (

    select fresh.*, 1 = 0 as _is_stale
    from {{ ref('stg_web_events__events') }} as fresh
    where not coalesce(is_bot, false)
    {%- if is_incremental() %}
        and {{ is_unread('_batch', '_events_batch') }}

    union all

    select attributed.*, 1 = 1
    from {{ ref('stg_web_events__events') }} as attributed
    where event_id in (select stale.event_id from stale)
        and not {{ is_unread('_batch', '_events_batch') }}
    {%- endif %}

),

{{ whose_events('chosen', members, by_strength) }}

select
    chosen.event_id,
    ranked.profile_id,
    ranked.identifier_type as attributed_by,
    chosen.anonymous_id,
    chosen.event_type,
    chosen.event_name,
    chosen.page_name,
    chosen.page_path,
    chosen.product_id,
    chosen.cart_id,
    chosen.order_id,
    chosen.campaign_source,
    chosen.device_type,
    chosen.amount,
    chosen.occurred_at,
    chosen.received_at,
    ranked.node_id as _node_id,
    ranked.is_shared as _is_shared,
    chosen._landed_at,
    chosen._load_id,
    {{ next_graph_batch() }} as _batch,
    {{ newest(ref('identifier_groups')) }} as _groups_batch,
    {{ newest(ref('identifiers'), '_observations_batch') }} as _observations_batch,
    {{ newest_read(ref('stg_web_events__events'), '_events_batch') }} as _events_batch,
    {{ 'chosen._is_repeated or chosen._is_stale' if is_incremental() else '1 = 1' }} as _is_repeated
from chosen
left join ranked
    on chosen.event_id = ranked.event_id
    and ranked.choice = 1

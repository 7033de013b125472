{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='event_id', tags=['hot']) }}
{%- set by_strength = [
    'user_id', 'loyalty_number', 'order_id', 'email', 'email_sha256', 'phone', 'device_id', 'anonymous_id',
] %}

with

events as (

    select * from {{ ref('stg_web_events__events') }} where not coalesce(is_bot, false)

),

members as (

    select * from {{ ref('profile_identifiers') }}

),

{% if is_incremental() %}
{{ stale_events('members') }},
{% endif %}

chosen as (

    select * from events
    {% if is_incremental() %}
    where event_id in (select stale.event_id from stale)
    {% endif %}

),

-- a shared identifier tells nothing about who it was, so it is asked last, the cookie first
candidates as (
{% for identifier_type in by_strength %}
    select
        chosen.event_id,
        members.node_id,
        members.profile_id,
        members.identifier_type,
        members.is_shared,
        case when members.is_shared then {{ 200 - loop.index }} else {{ loop.index }} end as position
    from chosen
    inner join members
        on chosen.{{ identifier_type }} = members.identifier_value
        and members.identifier_type = '{{ identifier_type }}'
    {{ 'union all' if not loop.last }}
{% endfor %}
),

ranked as (

    select candidates.*, row_number() over (partition by event_id order by position) as choice
    from candidates

)

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
    {{ touched_batch() }} as _touched_batch,
    (select coalesce(max(newest._batch), 0) from {{ ref('stg_web_events__events') }} as newest) as _events_batch
from chosen
left join ranked
    on chosen.event_id = ranked.event_id
    and ranked.choice = 1

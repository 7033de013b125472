{{ config(materialized='view') }}

with

channels as (
{% for channel in ['email', 'sms', 'push', 'ads', 'onsite', 'post'] %}
    select '{{ channel }}' as channel {{ 'union all' if not loop.last }}
{%- endfor %}

)

-- `any` was all of them; nothing is decided after now
select
    told.decision_id,
    told.identifier_type,
    told.identifier_value,
    told.purpose,
    channels.channel,
    told.status,
    told.source,
    least(told.said_at, {{ cdp_now() }}) as decided_at
from {{ ref('consent_statements') }} as told
inner join channels
    on told.channel in ('any', channels.channel)

{%- set reads = ['touched_profiles'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id', reads=reads, tags=['hot']
) }} {{- per_profile(reads) }}
{%- set restrictive_first = "case status when 'denied' then 0 when 'unknown' then 1 else 2 end" %}
{%- set oldest_grant = dbt.dateadd('month', -13, dbt.date_trunc('day', cdp_now())) %}

with

{% if is_incremental() %}
-- also those of whom a grant has become too old
touched as (

    {{ unread_profiles() }}

    union distinct

    select known.profile_id from {{ this }} as known where known._oldest_grant_at < {{ oldest_grant }}

),

{% endif %}
{{ touched_identifiers() }},

{{ decisions_about('members') }},

latest_first as (

    select
        decisions.*,
        row_number() over (
            partition by decisions.identifier_type, decisions.identifier_value, purpose, channel
            order by decided_at desc, {{ restrictive_first }}, {{ cdp_bytewise('decision_id') }}
        ) as recency
    from decisions
    {%- if is_incremental() %}
    inner join members
        on decisions.identifier_type = members.identifier_type
        and decisions.identifier_value = members.identifier_value
    {%- endif %}

),

-- people forget what they agreed to: a grant lasts thirteen months
standing as (

    select
        identifier_type,
        identifier_value,
        purpose,
        channel,
        case when status = 'granted' and decided_at < {{ oldest_grant }} then 'unknown' else status end as status,
        source,
        decision_id,
        decided_at
    from latest_first
    where recency = 1

),

of_profiles as (

    select members.profile_id, standing.*
    from standing
    inner join members
        on standing.identifier_type = members.identifier_type
        and standing.identifier_value = members.identifier_value

),

-- across the identifiers of a person the most restrictive wins
restrictive as (

    select
        of_profiles.*,
        row_number() over (
            partition by profile_id, purpose, channel
            order by {{ restrictive_first }}, decided_at desc, {{ cdp_bytewise('decision_id') }}
        ) as choice,
        min(case when status = 'granted' then decided_at end) over (partition by profile_id, purpose, channel)
            as oldest_grant_at
    from of_profiles

)

select
    profile_id,
    purpose,
    channel,
    status,
    source,
    status = 'granted' as is_granted,
    decided_at,
    case when status = 'granted' then oldest_grant_at end as _oldest_grant_at,
    1 = 0 as _is_gone
from restrictive
where choice = 1
{{- gone_rows(7) }}

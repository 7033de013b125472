{{ config(materialized='incremental', unique_key='node_id', tags=['hot']) }}

{%- set blocked = read_blocked_identifiers(ref('blocked_identifiers')) %}

with

{% if is_incremental() %}
unread as (

    select * from {{ ref('identifier_observations') }} where {{ is_unread('_batch', '_observations_batch') }}

),

-- counted anew: what was withdrawn or told again, or judged by another list of placeholders; the others go on counting
recounted as (

    select node_id from unread where coalesce(_is_repeated, 1 = 1)
    union distinct
    select known.node_id from {{ this }} as known where known._placeholders <> '{{ blocked.fingerprint }}'

),

{% endif %}
counted as (

    {{ counted_observations(ref('identifier_observations')) }}
    {%- if is_incremental() %}
    where node_id in (select recounted.node_id from recounted)

    union all

    {{ counted_observations('unread') }}
    where node_id not in (select recounted.node_id from recounted)

    union all

    select
        node_id, identifier_type, identifier_value, email_sha256, is_collided, observation_count, first_seen_at,
        last_seen_at, case when observation_count > 0 then first_landed_at end, first_landed_at, last_record_at,
        last_record, _observations_batch
    from {{ this }}
    where node_id in (select unread.node_id from unread)
        and node_id not in (select recounted.node_id from recounted)
    {%- endif %}

),

seen as (

    select
        node_id,
        case when max(email_sha256) is null then min(identifier_type)
            when max(case when identifier_type = 'email' then 1 else 0 end) = 1 then 'email'
            else 'email_sha256'
        end as identifier_type,
        coalesce(
            min(case when identifier_type <> 'email_sha256' then identifier_value end), min(email_sha256)
        ) as identifier_value,
        min(email_sha256) as email_sha256,
        max(case when is_collided then 1 else 0 end) = 1
        or min(coalesce(email_sha256, identifier_value)) <> max(coalesce(email_sha256, identifier_value)) as is_collided,
        sum(observation_count) as observation_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_told_at) as first_told_at,
        min(first_landed_at) as first_withdrawn_at,
        max(_batch) as _observations_batch
    from counted
    group by node_id

),

latest as (

    select node_id, last_record, last_record_at
    from (
        select
            counted.*,
            row_number() over (
                partition by node_id order by last_record_at desc nulls last, {{ cdp_bytewise('last_record') }}
            ) as recency
        from counted
        where last_record is not null
    ) as ranked
    where recency = 1

),

judged as (

    select
        seen.*,
        coalesce(first_told_at, first_withdrawn_at) as first_landed_at,
        {{ is_placeholder('identifier_type', 'identifier_value', 'email_sha256', blocked) }} as is_blocked
    from seen

)

select
    judged.node_id,
    judged.identifier_type,
    judged.identifier_value,
    judged.email_sha256,
    cast(judged.observation_count as bigint) as observation_count,
    judged.is_blocked,
    judged.is_collided,
    judged.first_seen_at,
    judged.last_seen_at,
    judged.first_landed_at,
    latest.last_record,
    latest.last_record_at,
    judged._observations_batch,
    {{ changed_in(['first_landed_at', 'is_blocked'], 'judged', ['node_id']) }} as _shape_batch,
    cast('{{ blocked.fingerprint }}' as {{ dbt.type_string() }}) as _placeholders
from judged
left join latest
    on judged.node_id = latest.node_id
{{ join_known('judged', ['node_id']) }}

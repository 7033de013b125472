{{ config(materialized='incremental', unique_key='node_id', tags=['hot']) }}

{%- set blocked = read_blocked_identifiers(ref('blocked_identifiers')) %}

with

observations as (

    select * from {{ ref('identifier_observations') }}
    {% if is_incremental() %}
    where node_id in (
        select fresh.node_id
        from {{ ref('identifier_observations') }} as fresh
        where {{ is_unread('fresh._batch', '_observations_batch') }}

        union distinct

        -- judged by another list of placeholders
        select known.node_id from {{ this }} as known where known._placeholders <> '{{ blocked.fingerprint }}'
    )
    {% endif %}

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
        min(coalesce(email_sha256, identifier_value)) <> max(coalesce(email_sha256, identifier_value)) as is_collided,
        sum(case when is_withdrawn then 0 else 1 end) as observation_count,
        min(case when not is_withdrawn then observed_at end) as first_seen_at,
        max(case when not is_withdrawn then observed_at end) as last_seen_at,
        min(case when not is_withdrawn then _landed_at end) as first_told_at,
        min(_landed_at) as first_withdrawn_at,
        max(_batch) as _observations_batch
    from observations
    group by node_id

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
    judged._observations_batch,
    {{ changed_in(['first_landed_at', 'is_blocked'], 'judged', ['node_id']) }} as _shape_batch,
    cast('{{ blocked.fingerprint }}' as {{ dbt.type_string() }}) as _placeholders
from judged
{{ join_known('judged', ['node_id']) }}

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
    where node_id in {{ among('unread', 'node_id') }}
        and node_id not in (select recounted.node_id from recounted)
    {%- endif %}

),

{{ added_up('counted') }},

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

{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

{% set rules = {} %}
{% for code in [
    'unknown_type', 'missing_event_name', 'no_user_anon_id', 'missing_previous_id', 'missing_group_id',
    'message_id_too_long', 'event_too_large', 'too_deep', 'nul_character', 'invalid_unicode', 'too_many_events',
    'wrong_type_of_field', 'not_an_object', 'unplanned_event', 'body_too_large', 'malformed_json',
    'unexpected_shape', 'unknown_table'
] %}
    {% do rules.update({code: "code = '" ~ code ~ "'"}) %}
{% endfor %}
{% do rules.update({'breaks_tracking_plan': "code like 'plan:%'", 'refused_by_collector': "1 = 1"}) %}

with

landed as (

    {{ landed_rows('collector', 'refusals') }}

),

typed as (

    select
        _row_id as refusal_id,
        received_at,
        {{ filled('landed.source') }} as source_name,
        {{ filled('stage') }} as stage,
        {{ filled('code') }} as code,
        {{ filled('plan_version') }} as plan_version,
        {{ filled('message_id') }} as message_id,
        {{ filled('sdk') }} as sdk,
        lower({{ filled('landed.type') }}) as event_type,
        coalesce(landed.count, 1) as event_count,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['refusal_id'],
    rules=rules,
    columns=[
        'refusal_id', 'received_at', 'source_name', 'stage', 'code', 'plan_version',
        'message_id', 'sdk', 'event_type', 'event_count'
    ],
    repeats='ignored',
    suppress_when="stage in ('consent', 'replayed')",
) }}

{%- set reads = ['touched_profiles', 'attribute_candidates'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id', reads=reads, tags=['hot']
) }} {{- per_profile(reads) }}

{%- set attributes = [
    'user_id', 'loyalty_number', 'email', 'phone', 'first_name', 'last_name',
    'address_line', 'city', 'postal_code', 'country_code',
] %}

with

{% if is_incremental() %}
touched as (

    {{ unread_profiles() }}

    union distinct

    select told.profile_id from {{ ref('attribute_candidates') }} as told
    where {{ is_unmarked('told._batch', 'attribute_candidates') }}

),

{% endif %}
{{ touched_identifiers() }},

seen as (

    select
        profile_id,
        count(*) as identifier_count,
        max(profile_confidence) as confidence,
        max(case when identifier_type in ('anonymous_id', 'device_id') or is_shared then 0 else 1 end) = 1 as is_known,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from members
    group by profile_id

),

wide as (

    select
        profile_id,
    {% for attribute in attributes %}
        max(case when attribute = '{{ attribute }}' then attribute_value end) as {{ attribute }},
        max(case when attribute = '{{ attribute }}' then source end) as {{ attribute }}_source,
    {% endfor %}
        max(case when attribute = 'birth_on' then attribute_value end) as birth_on,
        max(case when attribute = 'birth_on' then source end) as birth_on_source
    from {{ touched_rows('attribute_candidates') }} as candidates
    where choice = 1
    group by profile_id

)

select
    seen.profile_id,
{% for attribute in attributes %}
    wide.{{ attribute }},
    wide.{{ attribute }}_source,
{% endfor %}
    cast(wide.birth_on as date) as birth_on,
    wide.birth_on_source,
    seen.identifier_count,
    seen.confidence,
    seen.is_known,
    seen.first_seen_at,
    seen.last_seen_at,
    {{ next_graph_batch() }} as _batch,
    1 = 0 as _is_gone
from seen
left join wide
    on seen.profile_id = wide.profile_id
{{- gone_rows(28) }}

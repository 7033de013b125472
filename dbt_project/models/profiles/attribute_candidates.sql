{%- set reads = ['touched_profiles', 'told_attributes'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id', reads=reads, tags=['hot']
) }} {{- per_profile(reads) }}

{%- set places = survivorship_places() -%}
{%- set rules = survivorship_fingerprint(ref('survivorship_orders'), ref('survivorship_rules')) -%}
{%- set last_if_unknown = 'coalesce(source_priority, 1000000)' -%}

with

{{ tell_again(rules) }},

weighed as (

    select
        told.*,
        count(*) over (partition by profile_id, attribute, attribute_value) as told_count,
        dense_rank() over (partition by profile_id, attribute order by told_at desc nulls last) as recency_rank
    from told

),

keyed as (

    select
        weighed.*
        {%- for place in places %},
        orders.{{ place }}_rule,
        {{ survivorship_key(place ~ '_rule', 'is_verified', last_if_unknown, 'recency_rank', 'told_count') }}
            as {{ place }}_key
        {%- endfor %}
    from weighed
    left join {{ ref('survivorship_orders') }} as orders
        on weighed.attribute = orders.attribute

),

-- of the rows that tell the same value, the best one stands for it
rows_of_values as (

    select
        keyed.*,
        row_number() over (
            partition by profile_id, attribute, attribute_value
            order by first_key, second_key, third_key, fourth_key,
                {{ cdp_bytewise('source') }}, {{ cdp_bytewise('record_id') }} nulls last
        ) as row_choice
    from keyed

),

ranked as (

    select
        rows_of_values.*,
        count(*) over (partition by profile_id, attribute) as candidate_count,
        row_number() over (
            partition by profile_id, attribute
            order by first_key, second_key, third_key, fourth_key, {{ cdp_bytewise('attribute_value') }}
        ) as choice
    from rows_of_values
    where row_choice = 1

)

select
    one.profile_id,
    one.attribute,
    cast(one.choice as bigint) as choice,
    one.attribute_value,
    one.source,
    one.record_id,
    one.told_at,
    case when one.candidate_count = 1 then 'only_value' else {{ deciding_rule('one', 'rival') }} end as rule,
    one.candidate_count,
    one.told_count,
    one.is_verified,
    one.source_priority,
    one.contact_key as _contact_key,
    {{ next_graph_batch() }} as _batch,
    {{ newest(ref('verified_contacts')) }} as _verified_batch,
    cast({{ rules }} as bigint) as _rules,
    1 = 0 as _is_gone
from ranked as one
-- the survivor is compared with the next, the others with the survivor
left join ranked as rival
    on one.profile_id = rival.profile_id
    and one.attribute = rival.attribute
    and rival.choice = case when one.choice = 1 then 2 else 1 end
{{- gone_rows(15) }}

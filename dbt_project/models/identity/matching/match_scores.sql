{{ config(
    materialized='incremental',
    unique_key=['left_record_key', 'right_record_key'],
    on_schema_change='fail',
    pre_hook="{{ cdp_levenshtein_setup() }}",
) }}

{%- set columns = ['first_name', 'canonical_first_name', 'last_name', 'address_line', 'postal_code', 'city', 'birth_on',
    'email', 'phone'] %}

with

parameters as (

    select * from {{ ref('match_parameters') }} where model = 'person'

),

-- one number for all of them: other weights mean that every pair is scored again
trained as (

    select cast(sum(match_weight * (level * 31 + length(comparison))) as {{ cdp_type_weight() }}) as parameter_sum
    from parameters

),

pairs as (

    select
        candidates.*,
        {%- for column in columns %}
        one.{{ column }} as {{ column }}_l,
        other.{{ column }} as {{ column }}_r,
        {%- endfor %}
        case when one.observed_at > other.observed_at then one.observed_at else other.observed_at end as observed_at,
        case when one._landed_at > other._landed_at then one._landed_at else other._landed_at end as _landed_at
    from {{ ref('match_candidates') }} as candidates
    inner join {{ ref('person_records') }} as one
        on candidates.left_record_key = one.record_key
        and not one.is_withdrawn
    inner join {{ ref('person_records') }} as other
        on candidates.right_record_key = other.record_key
        and not other.is_withdrawn
    {%- if is_incremental() %}
    where {{ is_new_batch('candidates._batch', ref('match_candidates')) }}
        or (select trained.parameter_sum from trained)
        <> (select max(known.parameter_sum) from {{ this }} as known)
    {%- endif %}

),

weighed as (

    {{ match_weights('pairs', person_comparisons(), 'parameters', 'person') }}

)

select
    weighed.left_record_key,
    weighed.right_record_key,
    weighed.left_node_id,
    weighed.right_node_id,
    {%- for comparison in person_comparisons() %}
    weighed.{{ comparison.name }}_level,
    {%- endfor %}
    cast(weighed.match_weight as {{ cdp_type_weight() }}) as match_weight,
    {{ cdp_probability('weighed.match_weight') }} as score,
    {{ is_more_than_a_name('weighed') }} as is_more_than_a_name,
    weighed.observed_at,
    weighed._landed_at,
    trained.parameter_sum,
    weighed._batch
from weighed
cross join trained

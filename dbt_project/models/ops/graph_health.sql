with

{% for kind in ['profile', 'component'] -%}
{{ kind }}s as (

    select {{ kind }}_sizes.*, max(cumulative_count) over () as total_count
    from {{ ref(kind ~ '_sizes') }} as {{ kind }}_sizes

),

{% endfor -%}
sized as (

    select
        coalesce(sum(profile_count), 0) as profile_count,
        coalesce(sum(case when identifier_count <= 1 then profile_count end), 0) as singleton_count,
        {{ size_percentiles('identifier_count') }}
    from profiles

),

reached as (

    select
        coalesce(sum(component_count), 0) as component_count,
        {{ size_percentiles('component_size') }}
    from components

),

members as (

    select
        count(distinct node_id) as identifier_count,
        count(distinct case when is_shared then node_id end) as shared_identifier_count
    from {{ ref('profile_identifiers') }}

),

pairs as (

    select count(*) as pair_count from {{ ref('identifier_pairs') }} where is_live

),

refused as (

    select count(*) as refused_pair_count from {{ ref('blocked_links') }}

)

select
    cast(sized.profile_count as {{ dbt.type_bigint() }}) as profile_count,
    members.identifier_count,
    cast(sized.singleton_count as {{ dbt.type_bigint() }}) as singleton_count,
    sized.p50_identifier_count,
    sized.p90_identifier_count,
    sized.p99_identifier_count,
    sized.max_identifier_count,
    cast(reached.component_count as {{ dbt.type_bigint() }}) as component_count,
    reached.p50_component_size,
    reached.p90_component_size,
    reached.p99_component_size,
    reached.max_component_size,
    members.shared_identifier_count,
    pairs.pair_count,
    refused.refused_pair_count
from sized
cross join reached
cross join members
cross join pairs
cross join refused

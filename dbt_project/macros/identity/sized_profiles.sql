{#- How large each profile is, the one definition for health marts and their test: its identifiers, an address and
    its hash as one. Orders are not counted: a good customer has many, and they join nobody else. -#}
{% macro sized_profiles() -%}
    select
        profile_id,
        min(group_id) as group_id,
        count(distinct case when identifier_type <> 'order_id' then node_id end) as identifier_count
    from {{ ref('profile_identifiers') }}
    group by profile_id
{%- endmacro %}

{#- How large each component is: its profiles' sizes together, so that nothing is counted by other rules. A group
    is named after one of its own nodes, which says in which component it is. -#}
{% macro sized_components() -%}
    select
        identifier_groups.component_id,
        cast(sum(profiles.identifier_count) as {{ dbt.type_bigint() }}) as identifier_count
    from (
        {{ sized_profiles() }}
    ) as profiles
    inner join {{ ref('identifier_groups') }} as identifier_groups
        on profiles.group_id = identifier_groups.node_id
    group by identifier_groups.component_id
{%- endmacro %}

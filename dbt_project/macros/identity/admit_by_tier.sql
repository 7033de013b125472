{#- Groups that hold more nodes of a type than a profile may are rebuilt from single nodes: links join
    them tier by tier, the strongest first, and where a tier would break a limit that group keeps what it
    had. What is refused depends on the links alone, never on the order in which they arrived.
    Returns the scratch table (node_id, component_id) of what may be one profile. -#}
{% macro admit_by_tier(links, groups) -%}
    {%- do write_scratch('identity_limits', "
        select " ~ node_type_code('left_node_id') ~ " as type_code, left_limit as max_per_profile from " ~ links
        ~ " where left_limit is not null union select " ~ node_type_code('right_node_id') ~ ", right_limit from "
        ~ links ~ " where right_limit is not null") -%}
    {%- if write_scratch('identity_broken', over_limit(groups)) == 0 -%} {{ return(groups) }} {%- endif -%}
    {%- do write_scratch('identity_parts', "
        select groups.node_id, groups.node_id as part_id from " ~ groups ~ " as groups
        inner join identity_broken as broken on groups.component_id = broken.component_id") -%}
    {%- do write_scratch('identity_open_links', "select links.left_node_id, links.right_node_id, links.tier from "
        ~ links ~ " as links inner join identity_parts as parts on links.left_node_id = parts.node_id") -%}
    {%- set state = namespace(parts='identity_parts') -%}
    {%- for tier in run_query("select distinct tier from identity_open_links order by tier").columns[0].values() -%}
        {%- set state.parts = admit_tier(tier, state.parts, 'identity_parts_' ~ tier) -%}
    {%- endfor -%}
    {%- do write_scratch('identity_admitted', "
        select groups.node_id, coalesce(parts.part_id, groups.component_id) as component_id
        from " ~ groups ~ " as groups left join " ~ state.parts ~ " as parts on groups.node_id = parts.node_id") -%}
    {%- do drop_scratch(['identity_limits', 'identity_broken', 'identity_parts', 'identity_open_links', state.parts]) -%}
    {{ return('identity_admitted') }}
{%- endmacro %}

{#- The parts after the links of one tier: joined, but for groups that the tier would break. -#}
{% macro admit_tier(tier, parts, joined) -%}
    {%- set count = write_scratch('identity_tier_links', "
        select distinct
            least(left_parts.part_id, right_parts.part_id) as left_node_id,
            greatest(left_parts.part_id, right_parts.part_id) as right_node_id
        from identity_open_links as links
        inner join " ~ parts ~ " as left_parts on links.left_node_id = left_parts.node_id
        inner join " ~ parts ~ " as right_parts on links.right_node_id = right_parts.node_id
        where links.tier = " ~ tier ~ " and left_parts.part_id <> right_parts.part_id") -%}
    {%- if count == 0 -%} {{ return(parts) }} {%- endif -%}
    {%- do connected_components('identity_tier_links', 'identity_tier_groups') -%}
    {%- do write_scratch('identity_grown', "
        select parts.node_id, parts.part_id, coalesce(grown.component_id, parts.part_id) as component_id
        from " ~ parts ~ " as parts left join identity_tier_groups as grown on parts.part_id = grown.node_id") -%}
    {%- do write_scratch(joined, "
        select grown.node_id,
            case when refused.component_id is null then grown.component_id else grown.part_id end as part_id
        from identity_grown as grown
        left join (" ~ over_limit('identity_grown') ~ ") as refused on grown.component_id = refused.component_id") -%}
    {%- do drop_scratch([parts, 'identity_tier_links', 'identity_tier_groups', 'identity_grown']) -%}
    {{ return(joined) }}
{%- endmacro %}

{% macro over_limit(groups) -%}
    select distinct counted.component_id
    from (
        select members.component_id, limits.max_per_profile
        from {{ groups }} as members
        inner join identity_limits as limits on {{ node_type_code('members.node_id') }} = limits.type_code
        group by members.component_id, limits.type_code, limits.max_per_profile
        having count(*) > limits.max_per_profile
    ) as counted
{%- endmacro %}

{#- Groups that hold more nodes of a type than a profile may are rebuilt from single nodes: links join
    them tier by tier, the strongest first, and where a tier would break a limit that group keeps what it
    had. What is refused depends on the links alone, never on the order in which they arrived. -#}
{% macro admit_by_tier(links, groups) -%}
    {%- do write_scratch('identity_limits', "
        select " ~ node_type_code('left_node_id') ~ " as type_code, left_limit as max_per_profile from " ~ links
        ~ " where left_limit is not null union select " ~ node_type_code('right_node_id') ~ ", right_limit from "
        ~ links ~ " where right_limit is not null") -%}
    {%- do write_scratch('identity_broken', over_limit(groups, 'component_id')) -%}
    {%- if count_rows('identity_broken') -%}
        {%- do write_scratch('identity_parts', "select groups.node_id, groups.component_id as component_id,"
            ~ " groups.node_id as part_id from " ~ groups ~ " as groups"
            ~ " inner join identity_broken as broken on groups.component_id = broken.group_id") -%}
        {%- do write_scratch('identity_open_links', "select links.left_node_id, links.right_node_id, links.tier from "
            ~ links ~ " as links inner join identity_parts as parts on links.left_node_id = parts.node_id") -%}
        {%- set tiers = run_query("select distinct tier from identity_open_links order by tier") -%}
        {%- for tier in tiers.columns[0].values() -%} {%- do admit_tier(tier) -%} {%- endfor -%}
        {%- do write_scratch('identity_admitted', "
            select groups.node_id, coalesce(parts.part_id, groups.component_id) as component_id
            from " ~ groups ~ " as groups left join identity_parts as parts on groups.node_id = parts.node_id") -%}
        {%- do rename_scratch('identity_admitted', groups) -%}
        {%- do drop_scratch('identity_parts') -%}
        {%- do drop_scratch('identity_open_links') -%}
    {%- endif -%}
    {%- do drop_scratch('identity_limits') -%}
    {%- do drop_scratch('identity_broken') -%}
{%- endmacro %}

{% macro admit_tier(tier) -%}
    {%- do write_scratch('identity_tier_links', "
        select distinct
            least(left_parts.part_id, right_parts.part_id) as left_node_id,
            greatest(left_parts.part_id, right_parts.part_id) as right_node_id
        from identity_open_links as links
        inner join identity_parts as left_parts on links.left_node_id = left_parts.node_id
        inner join identity_parts as right_parts on links.right_node_id = right_parts.node_id
        where links.tier = " ~ tier ~ " and left_parts.part_id <> right_parts.part_id") -%}
    {%- do connected_components('identity_tier_links', 'identity_tier_groups') -%}
    {%- do write_scratch('identity_grown', "
        select parts.node_id, parts.part_id, coalesce(grown.component_id, parts.part_id) as component_id
        from identity_parts as parts
        left join identity_tier_groups as grown on parts.part_id = grown.node_id") -%}
    {%- do write_scratch('identity_refused', over_limit('identity_grown', 'component_id')) -%}
    {%- do write_scratch('identity_kept', "
        select grown.node_id, grown.component_id,
            case when refused.group_id is null then grown.component_id else grown.part_id end as part_id
        from identity_grown as grown
        left join identity_refused as refused on grown.component_id = refused.group_id") -%}
    {%- do rename_scratch('identity_kept', 'identity_parts') -%}
    {%- for scratch in ['tier_links', 'tier_groups', 'grown', 'refused'] -%}
        {%- do drop_scratch('identity_' ~ scratch) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro over_limit(groups, group_id) -%}
    select distinct counted.group_id
    from (
        select members.{{ group_id }} as group_id, limits.max_per_profile
        from {{ groups }} as members
        inner join identity_limits as limits on {{ node_type_code('members.node_id') }} = limits.type_code
        group by members.{{ group_id }}, limits.type_code, limits.max_per_profile
        having count(*) > limits.max_per_profile
    ) as counted
{%- endmacro %}

{#- How sure a group is: whether its known identifiers still hang together by exact links alone, by exact and strict
    ones, or only by loose ones. An identifier of a loose type (a cookie, a device, a card) is not asked: it tells what
    was done, not who is written to.

    A link is loose when an end is of a loose type or only matching says so, exact when an end is of an exact type or a
    reviewer says so, else strict. Returns the statements, after `before`, that write `identity_unsure` (group_id,
    confidence) for the groups that aren't exact. -#}
{% macro unsure_groups(rules, before) -%}
    {%- set exact = run_script(before + scratch('identity_sure_links', accepted_links(rules, 1)), 'identity_sure_links') -%}
    {%- set strict = run_script(grouping('identity_sure_links', 'identity_sure', exact)
        + scratch('identity_loosely', parted_groups(rules))
        + scratch('identity_sure_links', accepted_links(rules, 2, 'identity_loosely')), 'identity_sure_links') -%}
    {{ return(grouping('identity_sure_links', 'identity_sure', strict) + scratch('identity_unsure', "
        select exact.group_id, case when parted.group_id is null then 'strict' else 'loose' end as confidence
        from identity_loosely as exact left join (" ~ parted_groups(rules, 'identity_loosely') ~ ") as parted
            on exact.group_id = parted.group_id")
    + dropped(['identity_sure_links', 'identity_sure', 'identity_loosely'])) }}
{%- endmacro %}

{#- Links within a group that are at least so sure (1 exact, 2 strict); of these groups only, if any are named. -#}
{% macro accepted_links(rules, rank, groups=none) -%}
    select links.left_node_id, links.right_node_id
    from identity_links as links
    left join identity_parts as left_parts on links.left_node_id = left_parts.node_id
    left join identity_parts as right_parts on links.right_node_id = right_parts.node_id
    {%- if groups is not none %}
    inner join identity_grouped as grouped on links.left_node_id = grouped.node_id
    inner join {{ groups }} as wanted on grouped.group_id = wanted.group_id
    {%- endif %}
    where (left_parts.node_id is null or left_parts.group_id = right_parts.group_id)
        and {{ link_rank(rules) }} <= {{ rank }}
{%- endmacro %}

{% macro link_rank(rules) -%}
    case
        when links.tier = 0 then 1
        when links.tier >= 100 then 3
        {%- for rank, strength in [(3, 'loose'), (1, 'exact')] if rules.strengths[strength] %}
        when {{ node_type_code('links.left_node_id') }} in ({{ rules.strengths[strength] | join(', ') }})
            or {{ node_type_code('links.right_node_id') }} in ({{ rules.strengths[strength] | join(', ') }}) then {{ rank }}
        {%- endfor %}
        else 2
    end
{%- endmacro %}

{#- Groups whose known identifiers fall apart in `identity_sure`. -#}
{% macro parted_groups(rules, groups=none) -%}
    select grouped.group_id
    from identity_grouped as grouped
    {%- if groups is not none %}
    inner join {{ groups }} as wanted on grouped.group_id = wanted.group_id
    {%- endif %}
    left join identity_sure as sure on grouped.node_id = sure.node_id
    {%- if rules.strengths['loose'] %}
    where {{ node_type_code('grouped.node_id') }} not in ({{ rules.strengths['loose'] | join(', ') }})
    {%- endif %}
    group by grouped.group_id
    having min(coalesce(sure.component_id, grouped.node_id)) <> max(coalesce(sure.component_id, grouped.node_id))
{%- endmacro %}

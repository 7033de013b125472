{#- Which links may join, where a component breaks a limit or holds two nodes that were told apart.

    Kruskal's rule: links are taken in the immutable order (tier, first arrival, left, right), and each joins its two
    parts unless the union would hold too many of a type or two that must be apart. The weakest, latest evidence is
    what is refused, whatever the order in which it was read.

    It runs in rounds over all broken components at once and decides exactly as one link after the other would:
      - counts only grow, so parts whose union breaks a limit now never join: their links are refused together;
      - a link that is first at both its parts has nothing undecided before it: it joins;
      - a part that counts towards no limit joins by its first link: that changes nobody's count.
    The first undecided link of all is always of the second kind, so every round decides something.

    Writes `identity_parts` (node_id, group_id) for the nodes of broken components, empty when none is. -#}
{% macro admit_links(graph) -%}
    {%- if write_broken(graph) == 0 -%}
        {%- do write_scratch('identity_parts', "select node_id, node_id as group_id from identity_groups where 1 = 0") -%}
    {%- else -%}
        {%- set state = namespace(open=open_links(graph)) -%}
        {%- for round in range(10000) if state.open -%}
            {%- set state.open = refuse_links() and join_parts() -%}
        {%- endfor -%}
        {%- do write_scratch('identity_named', "
            select part_id, min(node_id) as group_id from identity_parts group by part_id") -%}
        {%- do redraw('identity_parts', "
            select parts.node_id, named.group_id
            from identity_parts as parts inner join identity_named as named on parts.part_id = named.part_id") -%}
    {%- endif -%}
    {%- do drop_scratch(['identity_apart', 'identity_broken', 'identity_open', 'identity_weights',
        'identity_hooks', 'identity_firsts', 'identity_named']) -%}
{%- endmacro %}

{#- Components that hold too many of a type (ever, or among those that arrived in one window), or two told apart. -#}
{% macro write_broken(graph) -%}
    {%- do write_scratch('identity_apart', "
        select told.left_node_id, told.right_node_id, left_groups.component_id
        from " ~ graph.pairs ~ " as told
        inner join identity_groups as left_groups on told.left_node_id = left_groups.node_id
        inner join identity_groups as right_groups on told.right_node_id = right_groups.node_id
        where told.decision = 'cannot_link' and left_groups.component_id = right_groups.component_id") -%}
    {{ return(write_scratch('identity_broken', "
        select component_id, class_id, most
        from (" ~ counted_nodes(graph.rules.limits) ~ ") as counted
        group by component_id, class_id, most having count(*) > most
        union select component_id, -1, 0 from identity_apart")) }}
{%- endmacro %}

{#- Nodes that count towards a limit, a row for each. A window is the days since 1970 divided by its length, so that it
    depends on the node alone; class_id keeps the limits of types, and the windows, apart. -#}
{% macro counted_nodes(limits) -%}
    {%- if not limits -%}
        select node_id, component_id, cast(0 as bigint) as class_id, 0 as most from identity_groups where 1 = 0
    {%- endif -%}
    {%- for code, most, window_days in limits %}
        select groups.node_id, groups.component_id,
            {{ code if window_days is none else window_class(code, window_days) }} as class_id, {{ most }} as most
        from identity_groups as groups
        {% if window_days is not none -%}
        inner join identity_nodes as nodes on groups.node_id = nodes.node_id
        {% endif -%}
        where {{ node_type_code('groups.node_id') }} = {{ code }}
        {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro window_class(code, window_days) -%}
    16 * (1 + cast(floor({{ cdp_days_between("cast('1970-01-01' as timestamp)", 'nodes.first_landed_at') }}
        / {{ window_days }}.0) as bigint)) + {{ code }}
{%- endmacro %}

{#- The links of broken components in their order, each node a part of its own, and what it weighs. Returns how many
    links are undecided. -#}
{% macro open_links(graph) -%}
    {%- do write_scratch('identity_parts', "
        select groups.node_id, groups.node_id as part_id from identity_groups as groups
        where groups.component_id in (select component_id from identity_broken)") -%}
    {%- do write_scratch('identity_weights', "
        select counted.node_id as part_id, counted.class_id, counted.most, cast(1 as bigint) as weight
        from (" ~ counted_nodes(graph.rules.limits) ~ ") as counted
        inner join identity_broken as broken
            on counted.component_id = broken.component_id and counted.class_id = broken.class_id") -%}
    {{ return(write_scratch('identity_open', "
        select links.left_node_id as left_part, links.right_node_id as right_part,
            row_number() over (
                order by links.tier, links.first_landed_at, links.left_node_id, links.right_node_id
            ) as position
        from identity_links as links
        inner join identity_parts as parts on links.left_node_id = parts.node_id")) }}
{%- endmacro %}

{% macro refuse_links() -%}
    {{ return(redraw('identity_open', "
        select open.left_part, open.right_part, open.position
        from identity_open as open
        left join (
            select distinct open.position
            from identity_open as open
            inner join identity_weights as left_weights on open.left_part = left_weights.part_id
            inner join identity_weights as right_weights
                on open.right_part = right_weights.part_id and left_weights.class_id = right_weights.class_id
            where left_weights.weight + right_weights.weight > left_weights.most
            union
            select open.position
            from identity_open as open
            inner join identity_apart as apart
                on open.left_part = least(apart.left_node_id, apart.right_node_id)
                and open.right_part = greatest(apart.left_node_id, apart.right_node_id)
        ) as refused on open.position = refused.position
        where refused.position is null")) }}
{%- endmacro %}

{#- Joins what is certain, then redraws links, weights and what must be apart between the new parts. -#}
{% macro join_parts() -%}
    {%- do write_scratch('identity_firsts', "
        select ends.part_id, min(ends.position) as position,
            max(case when heavy.part_id is null then 0 else 1 end) as is_heavy
        from (
            select left_part as part_id, position from identity_open
            union all select right_part, position from identity_open
        ) as ends
        left join (
            select part_id from identity_weights
            union select left_node_id from identity_apart
            union select right_node_id from identity_apart
        ) as heavy on ends.part_id = heavy.part_id
        group by ends.part_id") -%}
    {%- do write_scratch('identity_hooks', "
        select
            case when open.position = right_firsts.position and (open.position = left_firsts.position
                or right_firsts.is_heavy = 0) then open.right_part else open.left_part end as part_id,
            case when open.position = right_firsts.position and (open.position = left_firsts.position
                or right_firsts.is_heavy = 0) then open.left_part else open.right_part end as target_id
        from identity_open as open
        inner join identity_firsts as left_firsts on open.left_part = left_firsts.part_id
        inner join identity_firsts as right_firsts on open.right_part = right_firsts.part_id
        where (open.position = left_firsts.position and open.position = right_firsts.position)
            or (open.position = left_firsts.position and left_firsts.is_heavy = 0)
            or (open.position = right_firsts.position and right_firsts.is_heavy = 0)") -%}
    {%- do follow_hooks() -%}
    {%- do redraw('identity_parts', "select parts.node_id, " ~ now('parts.part_id') ~ " as part_id
        from identity_parts as parts " ~ hooked('parts.part_id')) -%}
    {%- do redraw('identity_weights', "select " ~ now('weights.part_id') ~ " as part_id, weights.class_id, weights.most,
        sum(weights.weight) as weight from identity_weights as weights " ~ hooked('weights.part_id') ~ "
        group by 1, weights.class_id, weights.most") -%}
    {%- do redraw('identity_apart', "select " ~ now('apart.left_node_id') ~ " as left_node_id, "
        ~ now('apart.right_node_id', 'others') ~ " as right_node_id from identity_apart as apart "
        ~ hooked('apart.left_node_id') ~ hooked('apart.right_node_id', 'others')) -%}
    {{ return(redraw('identity_open', "
        select left_part, right_part, min(position) as position
        from (
            select least(" ~ now('open.left_part') ~ ", " ~ now('open.right_part', 'others') ~ ") as left_part,
                greatest(" ~ now('open.left_part') ~ ", " ~ now('open.right_part', 'others') ~ ") as right_part,
                open.position
            from identity_open as open " ~ hooked('open.left_part') ~ hooked('open.right_part', 'others') ~ "
        ) as redrawn
        where left_part <> right_part
        group by left_part, right_part")) }}
{%- endmacro %}

{#- Every hook to the end of its chain, eight steps a statement. -#}
{% macro follow_hooks() -%}
    {%- set state = namespace(deep=1) -%}
    {%- for jump in range(64) if state.deep -%}
        {%- do redraw('identity_hooks', "
            select hooks.part_id, coalesce(hop_4.target_id, hop_3.target_id, hop_2.target_id, hooks.target_id) as target_id
            from identity_hooks as hooks
            left join identity_hooks as hop_2 on hooks.target_id = hop_2.part_id
            left join identity_hooks as hop_3 on hop_2.target_id = hop_3.part_id
            left join identity_hooks as hop_4 on hop_3.target_id = hop_4.part_id") -%}
        {%- set state.deep = count_rows(
            "identity_hooks as hooks inner join identity_hooks as above on hooks.target_id = above.part_id") -%}
    {%- endfor -%}
{%- endmacro %}

{% macro now(part, hooks='hooks') -%} coalesce({{ hooks }}.target_id, {{ part }}) {%- endmacro %}

{% macro hooked(part, hooks='hooks') -%} left join identity_hooks as {{ hooks }} on {{ part }} = {{ hooks }}.part_id {% endmacro %}

{#- Groups the ends of links: which nodes can be reached from each other, at any depth.

    `links` holds (left_node_id, right_node_id), left < right, each pair once. Writes the scratch
    table `groups` (node_id, component_id): every node of a link, and the smallest node of its group.

    Each round every node hooks to its smallest neighbour and links are redrawn between the hooks'
    ends, so the links shrink until none is left. Following each hook to its end (`is_slow`) in rounds
    after one that shrank little keeps the rounds below twice the logarithm of the nodes, whatever the
    shape; always doing so would cost more on the shallow groups that people are. -#}
{% macro connected_components(links, groups) -%}
    {%- do run_script(grouping(links, groups, count_rows(links))) -%}
{%- endmacro %}

{#- Runs all rounds and returns the statements that then write `groups`; `count` says how many links there are. -#}
{% macro grouping(links, groups, count) -%}
    {%- set state = namespace(links=links, count=count, is_slow=false) -%}
    {%- set hooks_of_rounds, names = [], [groups ~ '_links_0', groups ~ '_links_1'] -%}
    {%- for round in range(200) if state.count -%}
        {%- set hooked = hook(state.links, state.count, groups ~ '_hooks_' ~ round, names, state.is_slow) -%}
        {#- Two names by turns: links of the round before last would only hold memory. -#}
        {%- set contracted = groups ~ '_links_' ~ round % 2 -%}
        {%- set remaining = run_script(
            hooked.statements + contract(state.links, state.count, hooked.name, contracted), contracted) -%}
        {%- do hooks_of_rounds.append(hooked.name) -%}
        {%- set state.is_slow = remaining * 2 > state.count -%}
        {%- set state.links, state.count = contracted, remaining -%}
    {%- endfor -%}
    {%- if state.count -%}
        {{ exceptions.raise_compiler_error(
            'connected_components: ' ~ state.count ~ ' links of ' ~ links ~ ' are left after 200 rounds,'
            ~ ' so a link is not in canonical order; write each pair once with left_node_id < right_node_id'
        ) }}
    {%- endif -%}
    {{ return(compose(hooks_of_rounds, groups, names) + dropped(names)) }}
{%- endmacro %}

{#- Each node with a smaller neighbour to the smallest, and one jump on; all the way when `is_slow`. Millions of links
    are grouped in parts, because a grouping holds several times what it gives in memory. Returns the name of the table
    and the statements that are still to be run for it. -#}
{% macro hook(links, count, hooks, names, is_slow) -%}
    {%- set parts, first, statements = 1 + count // 3000000, hooks ~ '_first', [] -%}
    {%- for part in range(parts) if parts > 1 -%}
        {%- set smallest = smallest_neighbours(links, "mod(right_node_id, " ~ parts ~ ") = " ~ part) -%}
        {%- do statements.extend(scratch(first, smallest) if loop.first else ["insert into " ~ first ~ " " ~ smallest]) -%}
    {%- endfor -%}
    {%- set grouped = first if parts > 1 else "grouped" -%}
    {%- do statements.extend(scratch(hooks, ("" if parts > 1 else "with grouped as (" ~ smallest_neighbours(links) ~ ")")
        ~ jumped(grouped))) -%}
    {%- if parts > 1 -%} {%- do statements.extend(dropped([first])) -%} {%- endif -%}
    {%- do names.append(hooks) -%}
    {%- set state = namespace(name=hooks, statements=statements, deep=is_slow) -%}
    {%- for jump in range(64) if state.deep -%}
        {%- set next = hooks ~ '_' ~ jump -%}
        {%- set state.deep = run_script(state.statements + scratch(next, jumped(state.name)),
            next ~ " as hooks inner join " ~ next ~ " as above on hooks.component_id = above.node_id") -%}
        {%- do names.append(next) -%}
        {%- set state.name, state.statements = next, [] -%}
    {%- endfor -%}
    {{ return({'name': state.name, 'statements': state.statements}) }}
{%- endmacro %}

{% macro jumped(hooks) %}
    select hooks.node_id, coalesce(above.component_id, hooks.component_id) as component_id
    from {{ hooks }} as hooks left join {{ hooks }} as above on hooks.component_id = above.node_id
{%- endmacro %}

{#- Where a step's working memory is worth a statement more. -#}
{% macro is_large(count) -%} {{ return(count >= 3000000) }} {%- endmacro %}

{% macro smallest_neighbours(links, only='1 = 1') -%}
    select right_node_id as node_id, min(left_node_id) as component_id
    from {{ links }} where {{ only }} group by right_node_id
{%- endmacro %}

{#- A link whose right end hooks to its left end is inside a group, and is dropped before the second join;
    sound only after a jump, which makes that left end one that hooks to nothing. Returns the statements. -#}
{% macro contract(links, count, hooks, contracted) -%}
    {%- set right_drawn = "
        select links.left_node_id, hooks.component_id as other_end
        from " ~ links ~ " as links inner join " ~ hooks ~ " as hooks
            on links.right_node_id = hooks.node_id and links.left_node_id <> hooks.component_id" -%}
    {%- set half = scratch(contracted ~ '_half', right_drawn) if is_large(count) else [] -%}
    {%- set right_drawn = "select * from " ~ contracted ~ "_half" if half else right_drawn -%}
    {{ return(half + scratch(contracted, "
        select distinct least(one_end, other_end) as left_node_id, greatest(one_end, other_end) as right_node_id
        from (
            select coalesce(hooks.component_id, half.left_node_id) as one_end, half.other_end
            from (" ~ right_drawn ~ ") as half
            left join " ~ hooks ~ " as hooks on half.left_node_id = hooks.node_id
        ) as redrawn
        where one_end <> other_end") + (dropped([contracted ~ '_half']) if half else [])) }}
{%- endmacro %}

{#- Groups the ends of links: which nodes can be reached from each other, at any depth.

    `links` holds (left_node_id, right_node_id), left < right, each pair once. Writes the scratch
    table `groups` (node_id, component_id): every node of a link, and the smallest node of its group.

    Each round every node hooks to its smallest neighbour and links are redrawn between the hooks'
    ends, so the links shrink until none is left. Following each hook to its end (`is_slow`) in rounds
    after one that shrank little keeps the rounds below twice the logarithm of the nodes, whatever the
    shape; always doing so would cost more on the shallow groups that people are. -#}
{% macro connected_components(links, groups) -%}
    {%- set state = namespace(links=links, count=count_rows(links), is_slow=false) -%}
    {%- set hooks_of_rounds, scratch = [], [groups ~ '_links_0', groups ~ '_links_1'] -%}
    {%- for round in range(200) if state.count -%}
        {%- set hooks = hook(state.links, state.count, groups ~ '_hooks_' ~ round, scratch, state.is_slow) -%}
        {#- Two names by turns: links of the round before last would only hold memory. -#}
        {%- set contracted = groups ~ '_links_' ~ round % 2 -%}
        {%- set remaining = contract(state.links, state.count, hooks, contracted) -%}
        {%- do hooks_of_rounds.append(hooks) -%}
        {%- set state.is_slow = remaining * 2 > state.count -%}
        {%- set state.links, state.count = contracted, remaining -%}
    {%- endfor -%}
    {%- if state.count -%}
        {{ exceptions.raise_compiler_error(
            'connected_components: ' ~ state.count ~ ' links of ' ~ links ~ ' are left after 200 rounds,'
            ~ ' so a link is not in canonical order; write each pair once with left_node_id < right_node_id'
        ) }}
    {%- endif -%}
    {%- do compose(hooks_of_rounds, groups, scratch) -%}
    {%- do drop_scratch(scratch) -%}
{%- endmacro %}

{#- Each node with a smaller neighbour to the smallest, and one jump on; all the way when `is_slow`. Millions of links
    are grouped in parts, because a grouping holds several times what it gives in memory. -#}
{% macro hook(links, count, hooks, scratch, is_slow) -%}
    {%- set parts, first = 1 + count // 3000000, hooks ~ '_first' -%}
    {%- for part in range(parts) if parts > 1 -%}
        {%- set smallest = smallest_neighbours(links, "mod(right_node_id, " ~ parts ~ ") = " ~ part) -%}
        {%- do write_scratch(first, smallest) if loop.first else run_query("insert into " ~ first ~ " " ~ smallest) -%}
    {%- endfor -%}
    {%- set grouped = first if parts > 1 else "grouped" -%}
    {%- do write_scratch(hooks, ("" if parts > 1 else "with grouped as (" ~ smallest_neighbours(links) ~ ")") ~ "
        select hooks.node_id, coalesce(above.component_id, hooks.component_id) as component_id
        from " ~ grouped ~ " as hooks left join " ~ grouped ~ " as above on hooks.component_id = above.node_id") -%}
    {%- if parts > 1 -%} {%- do drop_scratch([first]) -%} {%- endif -%}
    {%- do scratch.append(hooks) -%}
    {%- set state = namespace(hooks=hooks, deep=is_slow) -%}
    {%- for jump in range(64) if state.deep -%}
        {%- set jumped = hooks ~ '_' ~ jump -%}
        {%- do write_scratch(jumped,
            "select hooks.node_id, coalesce(above.component_id, hooks.component_id) as component_id from "
            ~ state.hooks ~ " as hooks left join " ~ state.hooks ~ " as above on hooks.component_id = above.node_id") -%}
        {%- do scratch.append(jumped) -%}
        {%- set state.hooks = jumped -%}
        {%- set state.deep = count_rows(
            jumped ~ " as hooks inner join " ~ jumped ~ " as above on hooks.component_id = above.node_id") -%}
    {%- endfor -%}
    {{ return(state.hooks) }}
{%- endmacro %}

{#- Where a step's working memory is worth a statement more. -#}
{% macro is_large(count) -%} {{ return(count >= 3000000) }} {%- endmacro %}

{% macro smallest_neighbours(links, only='1 = 1') -%}
    select right_node_id as node_id, min(left_node_id) as component_id
    from {{ links }} where {{ only }} group by right_node_id
{%- endmacro %}

{#- A link whose right end hooks to its left end is inside a group, and is dropped before the second join;
    sound only after a jump, which makes that left end one that hooks to nothing. -#}
{% macro contract(links, count, hooks, contracted) -%}
    {%- set right_drawn = "
        select links.left_node_id, hooks.component_id as other_end
        from " ~ links ~ " as links inner join " ~ hooks ~ " as hooks
            on links.right_node_id = hooks.node_id and links.left_node_id <> hooks.component_id" -%}
    {%- if is_large(count) -%}
        {%- do write_scratch(contracted ~ '_half', right_drawn) -%}
        {%- set right_drawn = "select * from " ~ contracted ~ "_half" -%}
    {%- endif -%}
    {%- set remaining = write_scratch(contracted, "
        select distinct least(one_end, other_end) as left_node_id, greatest(one_end, other_end) as right_node_id
        from (
            select coalesce(hooks.component_id, half.left_node_id) as one_end, half.other_end
            from (" ~ right_drawn ~ ") as half
            left join " ~ hooks ~ " as hooks on half.left_node_id = hooks.node_id
        ) as redrawn
        where one_end <> other_end") -%}
    {%- if is_large(count) -%} {%- do drop_scratch([contracted ~ '_half']) -%} {%- endif -%}
    {{ return(remaining) }}
{%- endmacro %}

{#- Groups the ends of links: which nodes can be reached from each other, at any depth.

    `links` holds (left_node_id, right_node_id), left < right, each pair once. Writes the scratch
    table `groups` (node_id, component_id): every node of a link, and the smallest node of its group.

    Each round every node hooks to its smallest neighbour and links are redrawn between the hooks'
    ends, so the links shrink until none is left. Following each hook to its end (`jump_fully`) in
    rounds that shrank little keeps the rounds below twice the logarithm of the nodes, whatever the
    shape; always doing so would cost more on the shallow groups that people are. -#}
{% macro connected_components(links, groups) -%}
    {%- set state = namespace(links=links, count=count_rows(links), rounds=0, is_slow=false) -%}
    {%- for _ in range(200) if state.count -%}
        {%- set state.rounds = state.rounds + 1 -%}
        {%- set hooks = groups ~ '_hooks_' ~ state.rounds -%}
        {%- do hook_to_smallest(state.links, hooks) -%}
        {%- do jump_once(hooks) -%}
        {%- if state.is_slow -%} {%- do jump_fully(hooks) -%} {%- endif -%}
        {%- set contracted = groups ~ '_links_' ~ state.rounds -%}
        {%- do contract(state.links, hooks, contracted) -%}
        {%- set remaining = count_rows(contracted) -%}
        {%- set state.is_slow = remaining * 2 > state.count -%}
        {%- set state.links, state.count = contracted, remaining -%}
    {%- endfor -%}
    {%- if state.count -%}
        {{ exceptions.raise_compiler_error(
            'connected_components: ' ~ state.count ~ ' links of ' ~ links ~ ' are left after 200 rounds,'
            ~ ' so a link is not in canonical order; write each pair once with left_node_id < right_node_id'
        ) }}
    {%- endif -%}
    {%- do compose(groups, state.rounds) -%}
{%- endmacro %}

{% macro hook_to_smallest(links, hooks) -%}
    {%- do write_scratch(hooks, "select right_node_id as node_id, min(left_node_id) as component_id from "
        ~ links ~ " group by right_node_id") -%}
{%- endmacro %}

{% macro jump_once(hooks) -%}
    {%- do write_scratch(hooks ~ '_jumped',
        "select hooks.node_id, coalesce(above.component_id, hooks.component_id) as component_id from "
        ~ hooks ~ " as hooks left join " ~ hooks ~ " as above on hooks.component_id = above.node_id") -%}
    {%- do rename_scratch(hooks ~ '_jumped', hooks) -%}
{%- endmacro %}

{% macro jump_fully(hooks) -%}
    {%- set state = namespace(deep=1) -%}
    {%- for _ in range(64) if state.deep -%}
        {%- do jump_once(hooks) -%}
        {%- set state.deep = count_rows(hooks ~ " as hooks inner join " ~ hooks
            ~ " as above on hooks.component_id = above.node_id") -%}
    {%- endfor -%}
{%- endmacro %}

{% macro contract(links, hooks, contracted) -%}
    {%- do write_scratch(contracted, "
        select distinct least(one_end, other_end) as left_node_id, greatest(one_end, other_end) as right_node_id
        from (
            select
                coalesce(left_hooks.component_id, links.left_node_id) as one_end,
                right_hooks.component_id as other_end
            from " ~ links ~ " as links
            inner join " ~ hooks ~ " as right_hooks on links.right_node_id = right_hooks.node_id
            left join " ~ hooks ~ " as left_hooks on links.left_node_id = left_hooks.node_id
        ) as redrawn
        where one_end <> other_end") -%}
{%- endmacro %}

{#- The hooks of the last round end at the groups; each earlier round is looked up in the next. -#}
{% macro compose(groups, rounds) -%}
    {%- do write_scratch(groups ~ '_ends',
        "select cast(null as bigint) as node_id, cast(null as bigint) as component_id where 1 = 0") -%}
    {%- for back in range(rounds) -%}
        {%- set hooks = groups ~ '_hooks_' ~ (rounds - back) -%}
        {%- do write_scratch(groups ~ '_composed',
            "select hooks.node_id, coalesce(ends.component_id, hooks.component_id) as component_id from "
            ~ hooks ~ " as hooks left join " ~ groups ~ "_ends as ends on hooks.component_id = ends.node_id"
            ~ " union all select ends.node_id, ends.component_id from " ~ groups ~ "_ends as ends left join "
            ~ hooks ~ " as hooks on ends.node_id = hooks.node_id where hooks.node_id is null") -%}
        {%- do rename_scratch(groups ~ '_composed', groups ~ '_ends') -%}
        {%- do drop_scratch(hooks) -%}
        {%- do drop_scratch(groups ~ '_links_' ~ (rounds - back)) -%}
    {%- endfor -%}
    {%- do write_scratch(groups,
        "select node_id, component_id from " ~ groups ~ "_ends"
        ~ " union select component_id, component_id from " ~ groups ~ "_ends") -%}
    {%- do drop_scratch(groups ~ '_ends') -%}
{%- endmacro %}

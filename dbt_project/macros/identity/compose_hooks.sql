{#- The hooks of the last round end at the groups; those of each earlier round are looked up in the later.
    What never hooked is the smallest of its group. Returns the statements. -#}
{% macro compose(hooks_of_rounds, groups, names) -%}
    {%- set statements = [] -%}
    {%- set state = namespace(ends="select cast(null as bigint) as node_id, cast(null as bigint) as component_id"
        ~ " where 1 = 0", relation=hooks_of_rounds | last) -%}
    {%- for hooks in hooks_of_rounds | reverse -%}
        {%- set state.ends = "select node_id, component_id from " ~ hooks if loop.first
            else looked_up(hooks, state.relation) -%}
        {%- if not (loop.first or loop.last) -%}
            {%- set state.relation = groups ~ '_ends_' ~ loop.index % 2 -%}
            {%- do statements.extend(scratch(state.relation, state.ends)) -%}
            {%- do names.append(state.relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(statements + scratch(groups, "
        with ends as (" ~ state.ends ~ ")
        select node_id, component_id from ends
        union all
        select component_id, component_id from (select distinct component_id from ends) as roots")) }}
{%- endmacro %}

{% macro looked_up(hooks, ends) -%}
    select hooks.node_id, coalesce(ends.component_id, hooks.component_id) as component_id
    from {{ hooks }} as hooks
    left join {{ ends }} as ends on hooks.component_id = ends.node_id
    union all
    select ends.node_id, ends.component_id
    from {{ ends }} as ends
    left join {{ hooks }} as hooks on ends.node_id = hooks.node_id
    where hooks.node_id is null
{%- endmacro %}

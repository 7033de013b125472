{#- After `before`, the statements that add the components of those whom somebody no longer shared now joins. -#}
{% macro draw_in_neighbours(graph, existing, before) -%}
    {%- set opened = run_script(before + scratch('identity_opened', "
        select known.node_id
        from identity_known as known
        left join identity_shared as shared on known.node_id = shared.node_id
        where known.is_shared and shared.node_id is null"), 'identity_opened') -%}
    {%- if not opened -%} {{ return([]) }} {%- endif -%}
    {{ return(["insert into identity_known
        select known.node_id, known.component_id, known.is_shared, known.is_blocked
        from " ~ existing ~ " as known inner join (
            " ~ neighbours_of(graph, 'identity_opened') ~ "
        ) as neighbours on known.node_id = neighbours.node_id"] + touched_nodes(graph, existing)) }}
{%- endmacro %}

{#- Who was not looked at is shared as before. -#}
{% macro kept_shared(graph, existing) -%}
    {{ return("insert into identity_shared (node_id, neighbour_code, neighbour_count)
        select known.node_id, " ~ type_code_of('known.shared_with', graph.rules) ~ ", known.neighbour_count
        from " ~ existing ~ " as known
        left join identity_ends as ends on known.node_id = ends.node_id
        where known.is_shared and ends.node_id is null") }}
{%- endmacro %}

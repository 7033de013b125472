{#- What a run must look at again: the components that changed pairs and nodes reach.

    Ends of changed pairs, new nodes and nodes that arrived earlier than known are looked at; whoever becomes shared, or stops being so, draws in the components of all its neighbours, because its links join
    them or no longer do. -#}
{% macro open_touched_graph(graph, existing, seen) -%}
    {%- do write_scratch('identity_changed_pairs', "
        select told.left_node_id, told.right_node_id from " ~ graph.pairs ~ " as told where told._batch > " ~ seen.pairs) -%}
    {%- do write_scratch('identity_ends', "
        select left_node_id as node_id from identity_changed_pairs
        union select right_node_id from identity_changed_pairs
        union select nodes.node_id from " ~ graph.nodes ~ " as nodes where nodes._shape_batch > " ~ seen.nodes) -%}
    {%- set blocked = write_scratch('identity_blocked',
        "select node_id from " ~ graph.nodes ~ " as nodes where nodes.is_blocked") -%}
    {%- do write_scratch('identity_known', "
        select known.node_id, known.component_id, known.is_shared
        from " ~ existing ~ " as known inner join identity_ends as ends on known.node_id = ends.node_id") -%}
    {%- do write_shared_again(graph, existing, blocked) -%}
    {%- do write_scope(graph, existing) -%}
    {%- do drop_scratch(['identity_changed_pairs', 'identity_ends', 'identity_known', 'identity_turned',
        'identity_scope']) -%}
{%- endmacro %}

{#- Who of the ends is shared now; those known as shared and not looked at stay so. -#}
{% macro write_shared_again(graph, existing, blocked) -%}
    {%- set left_pairs, right_pairs = live_pairs_of(graph, 'identity_ends', 'left_node_id'),
        live_pairs_of(graph, 'identity_ends', 'right_node_id') -%}
    {%- do write_shared(graph, ends_of(left_pairs, right_pairs, blocked)) -%}
    {%- set turned = write_scratch('identity_turned', "
        select known.node_id
        from identity_known as known
        left join identity_shared as shared on known.node_id = shared.node_id
        where known.is_shared <> (shared.node_id is not null)") -%}
    {%- if turned -%}
        {%- do run_query("insert into identity_known
            select known.node_id, known.component_id, false from " ~ existing ~ " as known inner join (
                select right_node_id as node_id from " ~ live_pairs_of(graph, 'identity_turned', 'left_node_id') ~ " as pairs
                union select left_node_id from " ~ live_pairs_of(graph, 'identity_turned', 'right_node_id') ~ " as pairs
            ) as neighbours on known.node_id = neighbours.node_id") -%}
    {%- endif -%}
{%- endmacro %}

{% macro live_pairs_of(graph, wanted, side) -%}
    (select told.left_node_id, told.right_node_id, told.tier, told.first_landed_at
    from {{ graph.pairs }} as told
    inner join {{ wanted }} as wanted on told.{{ side }} = wanted.node_id
    where told.is_live)
{%- endmacro %}

{#- Who was not looked at is shared as before. -#}
{% macro keep_shared(graph, existing) -%}
    {%- do run_query("insert into identity_shared (node_id, neighbour_code, neighbour_count)
        select known.node_id, " ~ type_code_of('known.shared_with', graph.rules) ~ ", known.neighbour_count
        from " ~ existing ~ " as known
        left join identity_ends as ends on known.node_id = ends.node_id
        where known.is_shared and ends.node_id is null") -%}
{%- endmacro %}

{#- All nodes of the touched components, and the links among them. -#}
{% macro write_scope(graph, existing) -%}
    {%- do write_scratch('identity_scope', "
        select known.node_id from " ~ existing ~ " as known
        where known.component_id in (select touched.component_id from identity_known as touched)
        union select node_id from identity_ends") -%}
    {%- do write_scratch('identity_nodes', "
        select nodes.node_id, nodes.first_landed_at, nodes.is_blocked
        from " ~ graph.nodes ~ " as nodes inner join identity_scope as scope on nodes.node_id = scope.node_id") -%}
    {%- do keep_shared(graph, existing) -%}
    {%- do write_scratch('identity_links', joining_links(live_pairs_of(graph, 'identity_scope', 'left_node_id'), 1, 1)) -%}
{%- endmacro %}

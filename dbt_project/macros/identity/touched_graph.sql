{#- What a run must look at again: the components that changed pairs and nodes reach, and the links in them.

    Nothing else is read but by columns: the known rows and the pairs once each. A node that stops being shared draws in the
    components of all its neighbours, because its links join them now; one that becomes shared has its neighbours in
    its own component already.

    Returns false when a known node has become a placeholder or stopped being one: that changes what its neighbours
    count, so everything is resolved again. -#}
{% macro open_touched_graph(graph, existing, seen) -%}
    {%- set is_other = run_script(changed_ends(graph, existing, seen), "identity_known as known
        inner join identity_changed_nodes as changed on known.node_id = changed.node_id
        where known.is_blocked <> changed.is_blocked") -%}
    {%- if is_other -%} {{ return(false) }} {%- endif -%}
    {%- set blocked = run_script(touched_nodes(graph, existing) + scratch('identity_blocked',
        "select node_id from " ~ graph.nodes ~ " as nodes where nodes.is_blocked"), 'identity_blocked') -%}
    {%- set shared = shared_nodes(graph, ends_of("(select near.* from identity_near as near inner join identity_ends as ends
        on near.left_node_id = ends.node_id)", live_pairs_of(graph, 'identity_ends', 'right_node_id'), blocked)) -%}
    {%- set drawn_in = draw_in_neighbours(graph, existing, shared) -%}
    {%- set linked = scratch('identity_links', joining_links('identity_near', 1, 1))
        + dropped(['identity_changed_pairs', 'identity_changed_nodes', 'identity_doubles', 'identity_ends', 'identity_known',
            'identity_near', 'identity_opened']) -%}
    {%- do graph.update({'link_count':
        run_script(drawn_in + [kept_shared(graph, existing)] + linked, 'identity_links')}) -%}
    {{ return(true) }}
{%- endmacro %}

{#- Ends of changed pairs, nodes that are new or arrived earlier than known, and neighbours of doubles whose pair changed;
    what is known of them. -#}
{% macro changed_ends(graph, existing, seen) -%}
    {%- set doubles = run_script(scratch('identity_changed_pairs', "
        select told.left_node_id, told.right_node_id from " ~ graph.pairs ~ " as told where told._batch > " ~ seen.pairs)
    + scratch('identity_changed_nodes', "
        select nodes.node_id, nodes.first_landed_at, nodes.is_blocked
        from " ~ graph.nodes ~ " as nodes where nodes._shape_batch > " ~ seen.nodes)
    + scratch('identity_doubles', "
        select left_node_id as node_id from identity_changed_pairs where " ~ are_doubles(graph.rules.doubled) ~ "
        union select right_node_id from identity_changed_pairs where " ~ are_doubles(graph.rules.doubled)),
        'identity_doubles') -%}
    {{ return(scratch('identity_ends', "
        select left_node_id as node_id from identity_changed_pairs
        union select right_node_id from identity_changed_pairs
        union select node_id from identity_changed_nodes"
        ~ (" union " ~ neighbours_of(graph, 'identity_doubles') if doubles else ""))
    + scratch('identity_known', "
        select known.node_id, known.component_id, known.is_shared, known.is_blocked
        from " ~ existing ~ " as known inner join identity_ends as ends on known.node_id = ends.node_id")) }}
{%- endmacro %}

{#- The nodes of the touched components as they were (`identity_scope`) and as they are (`identity_nodes`), and their
    pairs from the left (`identity_near`). -#}
{% macro touched_nodes(graph, existing) -%}
    {{ return(scratch('identity_scope', "
        select known.node_id, known.component_id, known.group_id, known.anchor_node_id, known.is_blocked, known.is_shared,
            known.shared_with, known.neighbour_count, known.confidence, known.first_landed_at, known._moved_batch
        from " ~ existing ~ " as known
        where known.component_id in (select touched.component_id from identity_known as touched)")
    + scratch('identity_nodes', "
        select scope.node_id, coalesce(changed.first_landed_at, scope.first_landed_at) as first_landed_at, scope.is_blocked
        from identity_scope as scope
        left join identity_changed_nodes as changed on scope.node_id = changed.node_id
        union all
        select changed.node_id, changed.first_landed_at, changed.is_blocked
        from identity_changed_nodes as changed
        left join identity_scope as scope on changed.node_id = scope.node_id
        where scope.node_id is null")
    + scratch('identity_near',
        "select * from " ~ live_pairs_of(graph, 'identity_nodes', 'left_node_id') ~ " as pairs")) }}
{%- endmacro %}

{% macro live_pairs_of(graph, wanted, side) -%}
    (select told.left_node_id, told.right_node_id, told.tier, told.first_landed_at
    from {{ graph.pairs }} as told
    inner join {{ wanted }} as wanted on told.{{ side }} = wanted.node_id
    where told.is_live)
{%- endmacro %}

{% macro neighbours_of(graph, wanted) -%}
    select right_node_id as node_id from {{ live_pairs_of(graph, wanted, 'left_node_id') }} as pairs
    union select left_node_id from {{ live_pairs_of(graph, wanted, 'right_node_id') }} as pairs
{%- endmacro %}

{% macro are_doubles(doubled) -%}
    {{ node_type_code('left_node_id') }} = {{ node_type_code('right_node_id') }}
    and {{ node_type_code('left_node_id') }} in ({{ doubled | join(', ') or -1 }})
{%- endmacro %}

{#- A model whose query is pairs of nodes becomes one row per node: whom it belongs with.

    The query gives (left_node_id, right_node_id, tier, first_landed_at, decision, is_live, _batch), left < right,
    each pair once. `decision` is null or cannot_link; a pair that is not live joins nobody, but must still be told
    of when it has changed. The config names two relations: `nodes` (node_id, first_landed_at, is_blocked,
    _shape_batch), every node once, and `rules`, shaped as the seed `identifier_rules`.

    The table says of each node
      component_id   smallest node that evidence reaches from it, limits aside
      group_id       smallest node of those that may be one profile with it, see `admit_links`
      anchor_node_id oldest node of that group by arrival, which names the profile
      confidence     exact, strict or loose: by how sure links the group hangs together, see `unsure_groups`
      shared_with, neighbour_count   set when it has too many neighbours of a type; then it joins nobody
      _moved_batch   the build in which it last came to another profile

    All of it is a function of the pairs, nodes and rules alone. A run looks only at components that changed rows
    reach and gives what a full run would, because no decision ever looks outside a component. Changed rules make
    the run a full one; so does an input whose batches count from one again. -#}
{% materialization resolution, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set graph = {
        'pairs': '(' ~ sql ~ ')',
        'nodes': ref(config.require('nodes')) | string,
        'rules': read_identifier_rules(ref(config.require('rules'))),
    } -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set seen = seen_batches(existing, graph) -%}
    {%- if seen.is_full or not open_touched_graph(graph, existing, seen) -%}
        {%- do seen.update({'is_full': true}) -%}
        {%- do open_whole_graph(graph) -%}
    {%- endif -%}
    {%- do run_script(resolved_groups(graph)) -%}
    {%- if seen.is_full -%}
        {%- do replace_groups(target_relation, existing, resolved_rows(graph, seen)) -%}
    {%- else -%}
        {%- if config.get('contract').enforced -%}
            {%- do get_assert_columns_equivalent(resolved_rows(graph, seen)) -%}
        {%- endif -%}
        {%- do write_changed_groups(target_relation, existing, resolved_rows(graph, seen)) -%}
    {%- endif -%}
    {%- do run_script(dropped(['identity_changed', 'identity_scope', 'identity_shared', 'identity_unsure', 'identity_blocked',
        'identity_grouped'])) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- Up to which batch of its inputs the table is, and whether it must be resolved from nothing. -#}
{% macro seen_batches(existing, graph) -%}
    {%- set seen = {'pairs': 0, 'nodes': 0, 'batch': 0, 'is_full': true} -%}
    {%- if existing is not none and existing.type == 'table' -%}
        {%- set found = run_query("
            select " ~ newest(existing, '_pairs_batch') ~ ", " ~ newest(existing, '_nodes_batch') ~ ",
                " ~ newest(existing) ~ ", coalesce(min(_rules), 0), coalesce(max(_rules), 0),
                " ~ newest(graph.pairs) ~ ", " ~ newest(graph.nodes, '_shape_batch') ~ "
            from " ~ existing).rows[0] -%}
        {#- get_columns_in_relation would begin a transaction, and in one DuckDB counts no row of a scratch table. #}
        {%- set is_same = found[3] == graph.rules.fingerprint and found[4] == graph.rules.fingerprint
            and found[5] >= found[0] and found[6] >= found[1]
            and '_moved_batch' in run_query('select * from ' ~ existing ~ ' where 1 = 0').column_names -%}
        {%- do seen.update({'pairs': found[0] | int, 'nodes': found[1] | int, 'batch': found[2] | int,
            'is_full': should_full_refresh() or not is_same}) -%}
    {%- endif -%}
    {{ return(seen) }}
{%- endmacro %}

{#- Every node and every pair that may join: `identity_nodes`, `identity_blocked`, `identity_shared`, `identity_links`. -#}
{% macro open_whole_graph(graph) -%}
    {%- do write_scratch('identity_nodes',
        "select node_id, first_landed_at, is_blocked from " ~ graph.nodes) -%}
    {%- set blocked = write_scratch('identity_blocked', "select node_id from identity_nodes where is_blocked") -%}
    {%- set live = "(select told.left_node_id, told.right_node_id, told.tier, told.first_landed_at
        from " ~ graph.pairs ~ " as told where told.is_live)" -%}
    {%- set shared = run_script(shared_nodes(graph, ends_of(live, live, blocked)), 'identity_shared') -%}
    {%- do graph.update({'link_count': write_scratch('identity_links', joining_links(live, blocked, shared))}) -%}
{%- endmacro %}

{#- The groups of what was opened, then cut where they break a limit. Returns the last statements. -#}
{% macro resolved_groups(graph) -%}
    {%- set parts = admit_links(graph, grouping('identity_links', 'identity_groups', graph.link_count)) -%}
    {%- set grouped = scratch('identity_grouped', "
        select
            nodes.node_id,
            nodes.first_landed_at,
            nodes.is_blocked,
            coalesce(groups.component_id, nodes.node_id) as component_id,
            coalesce(parts.group_id, groups.component_id, nodes.node_id) as group_id
        from identity_nodes as nodes
        left join identity_groups as groups on nodes.node_id = groups.node_id
        left join identity_parts as parts on nodes.node_id = parts.node_id") -%}
    {#- They would only hold memory while the rows are written. -#}
    {{ return(unsure_groups(graph.rules, parts + grouped)
        + dropped(['identity_nodes', 'identity_links', 'identity_groups', 'identity_parts'])) }}
{%- endmacro %}

{#- Which links may join, where a component breaks a limit or holds two nodes that were told apart.

    Kruskal's rule: links are taken in the immutable order (tier, first arrival, left, right), and each joins its two
    parts unless the union would hold too many of a type or two that must be apart. The weakest, latest evidence is
    what is refused, whatever the order in which it was read.

    It runs in rounds over all broken components at once and decides exactly as one link after the other would:
      - counts only grow, so parts whose union breaks a limit now never join: their links are refused together;
      - a link that is first at both its parts has nothing undecided before it: it joins;
      - a part that counts towards no limit joins by its first link: that changes nobody's count.
    The first undecided link of all is always of the second kind, so every round decides something.

    Returns the statements, after `before`, that write `identity_parts` (node_id, group_id) for the nodes of broken
    components, empty when none is. -#}
{% macro admit_links(graph, before) -%}
    {%- if write_broken(graph, before) == 0 -%}
        {{ return(scratch('identity_parts', "select node_id, node_id as group_id from identity_groups where 1 = 0")
            + dropped(['identity_apart', 'identity_broken', 'identity_counted'])) }}
    {%- endif -%}
    {%- set state = namespace(open=open_links(graph)) -%}
    {%- for round in range(10000) if state.open -%}
        {%- set state.open = join_parts(refused_links()) -%}
    {%- endfor -%}
    {{ return(scratch('identity_named', "
        select part_id, min(node_id) as group_id from identity_parts group by part_id")
    + redrawn('identity_parts', "
        select parts.node_id, named.group_id
        from identity_parts as parts inner join identity_named as named on parts.part_id = named.part_id")
    + dropped(['identity_apart', 'identity_broken', 'identity_counted', 'identity_open', 'identity_weights', 'identity_hooks',
        'identity_firsts', 'identity_named'])) }}
{%- endmacro %}

{#- Components that hold too many of a type (ever, or among those that arrived in one window), or two told apart. -#}
{% macro write_broken(graph, before) -%}
    {%- set apart = scratch('identity_apart', "
        with told as " ~ cdp_materialized() ~ " (
            select pairs.left_node_id, pairs.right_node_id, groups.component_id
            from " ~ graph.pairs ~ " as pairs inner join identity_groups as groups on pairs.left_node_id = groups.node_id
            where pairs.decision = 'cannot_link'
        )
        select told.left_node_id, told.right_node_id, told.component_id
        from told inner join identity_groups as groups
            on told.right_node_id = groups.node_id and told.component_id = groups.component_id") -%}
    {{ return(run_script(before + apart + scratch('identity_counted', "
        select groups.node_id, groups.component_id, nodes.first_landed_at
        from identity_groups as groups inner join identity_nodes as nodes on groups.node_id = nodes.node_id
        where groups.component_id in (select filled.component_id from (" ~ filled_components(graph.rules.limits) ~ ") as filled)")
    + scratch('identity_broken', "
        select component_id, class_id, most
        from (" ~ counted_nodes(graph.rules.limits) ~ ") as counted
        group by component_id, class_id, most having count(*) > most
        union select component_id, -1, 0 from identity_apart"), 'identity_broken')) }}
{%- endmacro %}

{#- The links of broken components in their order, each node a part of its own, and what it weighs. Returns how many
    links are undecided. -#}
{% macro open_links(graph) -%}
    {%- set parts = scratch('identity_parts', "
        select groups.node_id, groups.node_id as part_id from identity_groups as groups
        where groups.component_id in (select component_id from identity_broken)") -%}
    {%- set weights = scratch('identity_weights', "
        select counted.node_id as part_id, counted.class_id, counted.most, cast(1 as bigint) as weight
        from (" ~ counted_nodes(graph.rules.limits) ~ ") as counted
        inner join identity_broken as broken
            on counted.component_id = broken.component_id and counted.class_id = broken.class_id") -%}
    {{ return(run_script(parts + weights + scratch('identity_open', "
        select links.left_node_id as left_part, links.right_node_id as right_part,
            row_number() over (
                order by links.tier, links.first_landed_at, links.left_node_id, links.right_node_id
            ) as position
        from identity_links as links
        inner join identity_parts as parts on links.left_node_id = parts.node_id"), 'identity_open')) }}
{%- endmacro %}

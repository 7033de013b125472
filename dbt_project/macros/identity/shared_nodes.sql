{#- Supernodes: a kiosk, a family address, a shop's own number. A node with more distinct neighbours of a type than
    `identifier_rules` allows joins nobody. Neighbours of a doubled type that a live pair links to each other count once:
    two contacts that are probably one person don't make an address a family's. No cascade, so it is a function of
    the pairs.

    `ends` is a query (node_id, neighbour_id, neighbour_code), a row per pair and end. Returns the statements that write
    `identity_shared`; a node that has too many of several types is shared for the first by type code. -#}
{% macro shared_nodes(graph, ends) -%}
    {%- if not graph.rules.guards -%}
        {{ return(scratch('identity_shared', "
            select cast(null as bigint) as node_id, cast(null as bigint) as neighbour_code,
                cast(null as bigint) as neighbour_count where 1 = 0")) }}
    {%- endif -%}
    {%- set doubled = graph.rules.doubled | join(', ') or -1 -%}
    {%- set told_twice = run_script(scratch('identity_crowded', "
        select ends.node_id, ends.neighbour_code, count(*) as neighbour_count
        from (" ~ ends ~ ") as ends
        where " ~ is_guarded(graph.rules.guards) ~ "
        group by ends.node_id, ends.neighbour_code
        having count(*) > " ~ most_neighbours(graph.rules.guards)),
        "identity_crowded where neighbour_code in (" ~ doubled ~ ")") -%}
    {{ return((doubles_once(graph, ends, doubled) if told_twice else []) + scratch('identity_shared', "
        select node_id, neighbour_code, neighbour_count
        from (
            select ends.*, row_number() over (partition by ends.node_id order by ends.neighbour_code) as position
            from identity_crowded as ends
            where ends.neighbour_count > " ~ most_neighbours(graph.rules.guards) ~ "
        ) as ranked
        where position = 1") + dropped(['identity_crowded'])) }}
{%- endmacro %}

{#- Of crowded nodes' neighbours, those that a live pair links to a smaller one are taken off the count. In two steps, lest all
    of a crowd are joined with each other first. -#}
{% macro doubles_once(graph, ends, doubled) -%}
    {{ return(scratch('identity_crowd', "
        select ends.node_id, ends.neighbour_id, ends.neighbour_code
        from (" ~ ends ~ ") as ends
        inner join identity_crowded as crowded
            on ends.node_id = crowded.node_id and ends.neighbour_code = crowded.neighbour_code
        where crowded.neighbour_code in (" ~ doubled ~ ")")
    + redrawn('identity_crowded', "
        with smaller as " ~ cdp_materialized() ~ " (
            select told.right_node_id, crowd.node_id, crowd.neighbour_code
            from " ~ graph.pairs ~ " as told inner join identity_crowd as crowd on told.left_node_id = crowd.neighbour_id
            where told.is_live
        )
        select crowded.node_id, crowded.neighbour_code,
            crowded.neighbour_count - coalesce(doubles.double_count, 0) as neighbour_count
        from identity_crowded as crowded
        left join (
            select larger.node_id, larger.neighbour_code, count(distinct larger.neighbour_id) as double_count
            from smaller inner join identity_crowd as larger on smaller.right_node_id = larger.neighbour_id
                and smaller.node_id = larger.node_id and smaller.neighbour_code = larger.neighbour_code
            group by larger.node_id, larger.neighbour_code
        ) as doubles on crowded.node_id = doubles.node_id and crowded.neighbour_code = doubles.neighbour_code")
    + dropped(['identity_crowd'])) }}
{%- endmacro %}

{% macro is_guarded(guards) -%}
    ends.neighbour_code in ({{ guards | map(attribute=1) | unique | join(', ') }})
    and {{ node_type_code('ends.node_id') }} in ({{ guards | map(attribute=0) | unique | join(', ') }})
{%- endmacro %}

{% macro most_neighbours(guards) -%}
    case
    {%- for code, neighbour, most in guards %}
        when {{ node_type_code('ends.node_id') }} = {{ code }} and ends.neighbour_code = {{ neighbour }} then {{ most }}
    {%- endfor %} end
{%- endmacro %}

{#- Both ends of pairs as rows; `left_pairs` may be narrowed to wanted left ends and `right_pairs` to right ends.
    A placeholder is nobody's neighbour. -#}
{% macro ends_of(left_pairs, right_pairs, blocked) -%}
    select pairs.left_node_id as node_id, pairs.right_node_id as neighbour_id,
        {{ node_type_code('pairs.right_node_id') }} as neighbour_code
    from {{ left_pairs }} as pairs {{ without_ends('identity_blocked', blocked) }}
    union all
    select pairs.right_node_id as node_id, pairs.left_node_id as neighbour_id,
        {{ node_type_code('pairs.left_node_id') }} as neighbour_code
    from {{ right_pairs }} as pairs {{ without_ends('identity_blocked', blocked) }}
{%- endmacro %}

{#- The pairs that may join: no end is a placeholder or shared. -#}
{% macro joining_links(pairs, blocked, shared) -%}
    {%- if not blocked and not shared -%}
        select pairs.left_node_id, pairs.right_node_id, pairs.tier, pairs.first_landed_at from {{ pairs }} as pairs
    {%- else -%}
        select pairs.left_node_id, pairs.right_node_id, pairs.tier, pairs.first_landed_at from {{ pairs }} as pairs
        {{ without_ends("(select node_id from identity_blocked union all select node_id from identity_shared)", 1) }}
    {%- endif -%}
{%- endmacro %}

{% macro without_ends(nodes, count) -%}
    {%- if count -%}
        left join {{ nodes }} as left_out on pairs.left_node_id = left_out.node_id
        left join {{ nodes }} as right_out on pairs.right_node_id = right_out.node_id
        where left_out.node_id is null and right_out.node_id is null
    {%- endif -%}
{%- endmacro %}

{#- Supernodes: a kiosk, a family address, a shop's own number. A node with more distinct neighbours of a type than
    `identifier_rules` allows joins nobody. One pass over the pairs, no cascade, so it is a function of the pairs.

    `ends` is a query (node_id, neighbour_code), a row per pair and end. Writes `identity_shared`, returns its count;
    a node that has too many of several types is shared for the first by type code. -#}
{% macro write_shared(graph, ends) -%}
    {%- if not graph.rules.guards -%}
        {{ return(write_scratch('identity_shared', "
            select cast(null as bigint) as node_id, cast(null as bigint) as neighbour_code,
                cast(null as bigint) as neighbour_count where 1 = 0")) }}
    {%- endif -%}
    {{ return(write_scratch('identity_shared', "
        select node_id, neighbour_code, neighbour_count
        from (
            select counted.*, row_number() over (partition by node_id order by neighbour_code) as position
            from (
                select ends.node_id, ends.neighbour_code, count(*) as neighbour_count
                from (" ~ ends ~ ") as ends
                where " ~ is_guarded(graph.rules.guards) ~ "
                group by ends.node_id, ends.neighbour_code
                having count(*) > " ~ most_neighbours(graph.rules.guards) ~ "
            ) as counted
        ) as ranked
        where position = 1")) }}
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
    select pairs.left_node_id as node_id, {{ node_type_code('pairs.right_node_id') }} as neighbour_code
    from {{ left_pairs }} as pairs {{ without_ends('identity_blocked', blocked) }}
    union all
    select pairs.right_node_id as node_id, {{ node_type_code('pairs.left_node_id') }} as neighbour_code
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

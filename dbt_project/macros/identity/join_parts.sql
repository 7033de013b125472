{#- After `refused`, joins what is certain, then redraws links, weights and what must be apart between the new parts.
    Returns how many links are undecided. -#}
{% macro join_parts(refused) -%}
    {%- set firsts = scratch('identity_firsts', "
        select ends.part_id, min(ends.position) as position,
            max(case when heavy.part_id is null then 0 else 1 end) as is_heavy
        from (
            select left_part as part_id, position from identity_open
            union all select right_part, position from identity_open
        ) as ends
        left join (
            select part_id from identity_weights
            union select left_node_id from identity_apart
            union select right_node_id from identity_apart
        ) as heavy on ends.part_id = heavy.part_id
        group by ends.part_id") -%}
    {%- set hooks = scratch('identity_hooks', "
        select
            case when open.position = right_firsts.position and (open.position = left_firsts.position
                or right_firsts.is_heavy = 0) then open.right_part else open.left_part end as part_id,
            case when open.position = right_firsts.position and (open.position = left_firsts.position
                or right_firsts.is_heavy = 0) then open.left_part else open.right_part end as target_id
        from identity_open as open
        inner join identity_firsts as left_firsts on open.left_part = left_firsts.part_id
        inner join identity_firsts as right_firsts on open.right_part = right_firsts.part_id
        where (open.position = left_firsts.position and open.position = right_firsts.position)
            or (open.position = left_firsts.position and left_firsts.is_heavy = 0)
            or (open.position = right_firsts.position and right_firsts.is_heavy = 0)") -%}
    {%- do follow_hooks(refused + firsts + hooks) -%}
    {%- set parts = redrawn('identity_parts', "select parts.node_id, " ~ now('parts.part_id') ~ " as part_id
        from identity_parts as parts " ~ hooked('parts.part_id')) -%}
    {%- set weights = redrawn('identity_weights', "select " ~ now('weights.part_id') ~ " as part_id, weights.class_id, weights.most,
        sum(weights.weight) as weight from identity_weights as weights " ~ hooked('weights.part_id') ~ "
        group by 1, weights.class_id, weights.most") -%}
    {%- set apart = redrawn('identity_apart', "select " ~ now('apart.left_node_id') ~ " as left_node_id, "
        ~ now('apart.right_node_id', 'others') ~ " as right_node_id from identity_apart as apart "
        ~ hooked('apart.left_node_id') ~ hooked('apart.right_node_id', 'others')) -%}
    {{ return(run_script(parts + weights + apart + redrawn('identity_open', "
        select left_part, right_part, min(position) as position
        from (
            select least(" ~ now('open.left_part') ~ ", " ~ now('open.right_part', 'others') ~ ") as left_part,
                greatest(" ~ now('open.left_part') ~ ", " ~ now('open.right_part', 'others') ~ ") as right_part,
                open.position
            from identity_open as open " ~ hooked('open.left_part') ~ hooked('open.right_part', 'others') ~ "
        ) as redrawn
        where left_part <> right_part
        group by left_part, right_part"), 'identity_open')) }}
{%- endmacro %}

{#- After `before`, every hook to the end of its chain, four steps at a time. -#}
{% macro follow_hooks(before) -%}
    {%- set state = namespace(before=before, deep=1) -%}
    {%- for jump in range(64) if state.deep -%}
        {%- set followed = redrawn('identity_hooks', "
            select hooks.part_id, coalesce(hop_4.target_id, hop_3.target_id, hop_2.target_id, hooks.target_id) as target_id
            from identity_hooks as hooks
            left join identity_hooks as hop_2 on hooks.target_id = hop_2.part_id
            left join identity_hooks as hop_3 on hop_2.target_id = hop_3.part_id
            left join identity_hooks as hop_4 on hop_3.target_id = hop_4.part_id") -%}
        {%- set state.deep = run_script(state.before + followed,
            "identity_hooks as hooks inner join identity_hooks as above on hooks.target_id = above.part_id") -%}
        {%- set state.before = [] -%}
    {%- endfor -%}
{%- endmacro %}

{% macro now(part, hooks='hooks') -%} coalesce({{ hooks }}.target_id, {{ part }}) {%- endmacro %}

{% macro hooked(part, hooks='hooks') -%} left join identity_hooks as {{ hooks }} on {{ part }} = {{ hooks }}.part_id {% endmacro %}

{#- The undecided links without those whose union would break a limit. An engine that has not counted its scratch tables yet
    may join weights with weights first, all of a class with each other; hence in two steps. -#}
{% macro refused_links() -%}
    {{ return(redrawn('identity_open', "
        with weighed as " ~ cdp_materialized() ~ " (
            select open.position, open.right_part, weights.class_id, weights.most, weights.weight
            from identity_open as open
            inner join identity_weights as weights on open.left_part = weights.part_id
        ),
        refused as (
            select distinct weighed.position
            from weighed
            inner join identity_weights as weights
                on weighed.right_part = weights.part_id and weighed.class_id = weights.class_id
            where weighed.weight + weights.weight > weighed.most
            union
            select open.position
            from identity_open as open
            inner join identity_apart as apart
                on open.left_part = least(apart.left_node_id, apart.right_node_id)
                and open.right_part = greatest(apart.left_node_id, apart.right_node_id)
        )
        select open.left_part, open.right_part, open.position
        from identity_open as open
        left join refused on open.position = refused.position
        where refused.position is null")) }}
{%- endmacro %}

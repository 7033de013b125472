{#- How much each group of a refused link weighs towards each limit, from the CTE `refused_groups`. -#}
{% macro group_weights(groups, limits) -%}
{%- for code, most, window_days in limits %}
    select
        nodes.group_id,
        {{ code if window_days is none else window_class(code, window_days) }} as class_id,
        {{ code }} as type_code,
        {{ most }} as most,
        count(*) as weight
    from {{ groups }} as nodes
    inner join refused_groups
        on nodes.group_id = refused_groups.group_id
    where {{ node_type_code('nodes.node_id') }} = {{ code }}
    group by 1, 2
    {{ 'union all' if not loop.last }}
{%- else %}
    select group_id, 0 as class_id, 0 as type_code, 0 as most, 0 as weight from refused_groups where 1 = 0
{%- endfor %}
{%- endmacro %}

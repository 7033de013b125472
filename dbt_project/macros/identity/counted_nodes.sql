{#- Components that hold more of a type than a limit of it allows, be it a window's: no other can be broken. -#}
{% macro filled_components(limits) -%}
    {%- set least = {} if limits else {-1: 0} -%}
    {%- for code, most, window_days in limits -%}
        {%- do least.update({code: [most, least.get(code, most)] | min}) -%}
    {%- endfor -%}
    select component_id
    from (select component_id, {{ node_type_code('node_id') }} as type_code from identity_groups) as typed
    where type_code in ({{ least | join(', ') }})
    group by component_id, type_code
    having count(*) > case type_code {% for code, most in least.items() %} when {{ code }} then {{ most }} {%- endfor %} end
{%- endmacro %}

{#- Nodes that count towards a limit, a row for each. A window is the days since 1970 divided by its length, so that it
    depends on the node alone; class_id keeps the limits of types, and the windows, apart. -#}
{% macro counted_nodes(limits) -%}
    {%- if not limits -%}
        select node_id, component_id, cast(0 as bigint) as class_id, 0 as most from identity_counted where 1 = 0
    {%- endif -%}
    {%- for code, most, window_days in limits %}
        select nodes.node_id, nodes.component_id,
            {{ code if window_days is none else window_class(code, window_days) }} as class_id, {{ most }} as most
        from identity_counted as nodes
        where {{ node_type_code('nodes.node_id') }} = {{ code }}
        {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro window_class(code, window_days) -%}
    16 * (1 + cast(floor({{ cdp_days_between("cast('1970-01-01' as timestamp)", 'nodes.first_landed_at') }}
        / {{ window_days }}.0) as bigint)) + {{ code }}
{%- endmacro %}

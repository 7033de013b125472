{#- What the records of each source tell of the person they belong to, attribute by attribute; each record is found once.
    `sources` lists name, model, the type and column of what its records are known by, and the attributes. -#}
{% macro tell(sources) -%}
{% for source, model, identifier_type, key, attributes in sources %}
    select
        members.profile_id,
        attributes.attribute,
        case attributes.position
            {%- for attribute in attributes %}
            when {{ loop.index }} then cast(records.{{ attribute }} as {{ dbt.type_string() }})
            {%- endfor %}
        end as attribute_value,
        '{{ source }}' as source,
        cast(records.{{ key }} as {{ dbt.type_string() }}) as record_id,
        records.updated_at as told_at
    from {{ model }} as records
    inner join members
        on records.{{ key }} = members.identifier_value
        and members.identifier_type = '{{ identifier_type }}'
    cross join (
        {%- for attribute in attributes %}
        select {{ loop.index }} as position, '{{ attribute }}' as attribute
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as attributes
    {{ 'union all' if not loop.last }}
{% endfor %}
{%- endmacro %}

{#- What the published versions of a judged source say of people, in the form in which it is compared.
    `columns` says how to read a column that the source names otherwise or lacks. -#}
{% macro person_told(source, judged, observed_at, identifier_type, identifier_value, columns={}) -%}
    select
        '{{ source }}' as source,
        {{ identifier_type if '(' in identifier_type or ' ' in identifier_type else "'" ~ identifier_type ~ "'" }}
            as identifier_type,
        {{ identifier_value }} as identifier_value,
        {%- for column in ['first_name', 'last_name', 'address_line', 'postal_code', 'city'] %}
        {{ folded_text('cast(' ~ columns.get(column, column) ~ ' as ' ~ dbt.type_string() ~ ')') }} as {{ column }},
        {%- endfor %}
        cast({{ columns.get('birth_on', 'birth_on') }} as date) as birth_on,
        {{ columns.get('email', 'email') }} as email,
        cast({{ columns.get('phone', 'phone') }} as {{ dbt.type_string() }}) as phone,
        coalesce({{ observed_at }}, _landed_at) as observed_at,
        _landed_at
    from {{ judged }}
    where _outcome = 'published'
{%- endmacro %}

{#- Only what differs from the last build is written, with its number; what no longer counts keeps its key and node
    as history and loses everything personal. -#}
{% macro person_changes(present) -%}
    {%- set personal = ['first_name', 'canonical_first_name', 'last_name', 'address_line', 'postal_code', 'city',
        'birth_on', 'email', 'phone'] -%}
    select present.*, {{ next_graph_batch() }} as _batch
    from {{ present }} as present
    {%- if is_incremental() %}
    left join {{ this }} as known
        on present.record_key = known.record_key
        and not known.is_withdrawn
        and present._landed_at = known._landed_at
    where known.record_key is null

    union all

    select
        known.record_key, known.source, known.node_id, known.identifier_type,
        {% for column in personal -%}
        cast(null as {{ 'date' if column == 'birth_on' else dbt.type_string() }}) as {{ column }},
        {% endfor -%}
        1 = 1 as is_withdrawn, known.observed_at, known._landed_at, {{ next_graph_batch() }} as _batch
    from {{ this }} as known
    left join {{ present }} as present
        on known.record_key = present.record_key
    where present.record_key is null
        and not known.is_withdrawn
    {%- endif %}
{%- endmacro %}

{#- The last steps of `identifier_observations`: each identifier as a node, and what the records of a touched entity
    said before and no longer do, withdrawn. Withdrawn rows stay, so that all that was built on them is looked at
    again; they count for nothing, and a full refresh forgets them. -#}
{% macro withdraw(told, observed) -%}
    {%- set columns = ['source', 'record_id', 'identifier_type', 'identifier_value', 'email_sha256', 'observed_at',
        '_subject', '_row_id', '_landed_at', '_load_id'] -%}
{% if is_incremental() -%}
-- mostly there are none, and then no column of the table is read
repeated as (

    select distinct _subject from {{ observed }} where _is_repeated

),

{% endif -%}
fresh as (

    select distinct
        {{ node_id('rules.type_code', 'rules.identifier_type', 'coalesce(told.email_sha256, told.identifier_value)') }}
            as node_id,
        {% for column in columns %}told.{{ column }},
        {% endfor -%}
        told._judged_batch,
        told._is_repeated
    from {{ told }} as told
    inner join {{ ref('identifier_rules') }} as rules
        on case told.identifier_type when 'email_sha256' then 'email' else told.identifier_type end
        = rules.identifier_type

)

select
    fresh.node_id,
    {% for column in columns %}fresh.{{ column }},
    {% endfor -%}
    1 = 0 as is_withdrawn,
    fresh._judged_batch,
    {{ next_graph_batch() }} as _batch,
    {{ 'fresh._is_repeated' if is_incremental() else '1 = 1' }} as _is_repeated
from fresh
{%- if is_incremental() %}

union all

select
    before.node_id,
    {% for column in columns %}before.{{ column }},
    {% endfor -%}
    1 = 1,
    cast(null as bigint),
    {{ next_graph_batch() }},
    1 = 1
from {{ this }} as before
inner join repeated
    on before._subject = repeated._subject
left join fresh
    on before._row_id = fresh._row_id
    and before._subject = fresh._subject
    and before.identifier_type = fresh.identifier_type
    and before.identifier_value = fresh.identifier_value
where fresh._row_id is null
{%- endif %}
{%- endmacro %}

{#- The number of this build of a model of the graph. It goes on counting through a full refresh, so that whoever
    reads the model sees that all of it is new. -#}
{% macro next_graph_batch(column='_batch') -%}
    {%- set built = load_relation(this) if execute and this else none -%}
    {#- A table of before the column was added counts from one. -#}
    {%- set columns = adapter.get_columns_in_relation(built) | map(attribute='name') | map('lower') | list
        if built is not none else [] -%}
    {%- if column not in columns -%} cast(1 as bigint)
    {%- elif config.get('reads') and column == '_batch' -%}
        {#- Never a number that was read already, should the only row that had it be gone. -#}
        (select cast(coalesce(max(told.batch), 0) + 1 as bigint) from (
            select {{ newest(this, column) }} as batch
            union all select marks.batch from {{ ref('read_marks') }} as marks where marks.model = '{{ this.identifier }}'
        ) as told)
    {%- else -%} cast({{ newest(this, column) }} + 1 as bigint)
    {%- endif -%}
{%- endmacro %}

{#- The condition that a row of another model is newer than what `this` has read of it, noted in `column`. -#}
{% macro is_unread(batch, column) -%}
    {{ batch }} > {{ newest(this, column) }}
{%- endmacro %}

{#- The build in which these columns of a row last changed: what reads only them need not look at the row again. -#}
{% macro changed_in(columns, relation, key) -%}
    {%- if is_incremental() -%}
    case
        when known.{{ key[0] }} is not null
        {%- for column in columns %}
            and coalesce(cast(known.{{ column }} as {{ dbt.type_string() }}), '')
                = coalesce(cast({{ relation }}.{{ column }} as {{ dbt.type_string() }}), '')
        {%- endfor %} then known._shape_batch
        else {{ next_graph_batch('_shape_batch') }}
    end
    {%- else -%} {{ next_graph_batch('_shape_batch') }}
    {%- endif -%}
{%- endmacro %}

{% macro join_known(relation, key) -%}
    {%- if is_incremental() -%}
left join (
    select * from {{ this }} where {{ key[0] }} in {{ among(relation, key[0]) }}
) as known
    on {% for column in key %}{{ relation }}.{{ column }} = known.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    {%- endif -%}
{%- endmacro %}

{#- `newest` where the other model is large and a view, of which a filter would read every row: what is new is asked. -#}
{% macro newest_read(relation, column) -%}
    {%- if is_incremental() -%}
    (select coalesce(max(read.batch), 0) from (
        select {{ newest(this, column) }} as batch
        union all select fresh._batch from {{ relation }} as fresh where {{ is_unread('fresh._batch', column) }}
    ) as read)
    {%- else -%} {{ newest(relation) }}
    {%- endif -%}
{%- endmacro %}

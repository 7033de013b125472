{#- An incremental strategy: rows with `_is_gone` take what is stored under their key away, the others replace it.

    Delete+insert alone never removes a key that the query no longer gives. `_is_gone` is false in every stored row. -#}
{% macro get_incremental_replace_sql(arg_dict) -%}
    {{ return(adapter.dispatch('get_incremental_replace_sql', 'cdp')(arg_dict)) }}
{%- endmacro %}

{% macro default__get_incremental_replace_sql(arg_dict) -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set key = ([key] if key is string else key) | join(', ') -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }} where ({{ key }}) in (
        select {{ key }} from {{ arg_dict['temp_relation'] }}
    );
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }} where not _is_gone
    {{- note_read_marks() }}
{%- endmacro %}

{#- What the model now has read of those that its config names in `reads`. -#}
{% macro note_read_marks() -%}
    {%- for model in config.get('reads', []) -%}
    {%- if loop.first %};
    delete from {{ ref('read_marks') }} where reader = '{{ this.identifier }}';
    insert into {{ ref('read_marks') }} (reader, model, batch)
    {%- endif %}
    select '{{ this.identifier }}', '{{ model }}',
    {%- if model == 'clock' %} {{ cdp_seconds_between(the_epoch(), cdp_now()) }}
    {%- else %} {{ newest(ref(model)) }}
    {%- endif %}
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- When `this` last looked, for models whose `reads` name the clock; `otherwise` stands for never. -#}
{% macro last_looked_at(otherwise) -%}
(
            select coalesce(
                max({{ dbt.dateadd('second', 'marks.batch - ' ~ clock_margin(), the_epoch()) }}), {{ otherwise }}
            )
            from {{ ref('read_marks') }} as marks
            where marks.reader = '{{ this.identifier }}' and marks.model = 'clock'
        )
{%- endmacro %}

{#- Seconds by which the mark may be later than the query that it speaks of: of what is looked at twice nothing comes. -#}
{% macro clock_margin() -%} {{ return(adapter.dispatch('clock_margin', 'cdp')()) }} {%- endmacro %}

{#- Here each statement of a build has a time of its own. -#}
{% macro default__clock_margin() -%} {{ return(3600) }} {%- endmacro %}

{#- Here they have the time of their transaction; the mark is in whole seconds. -#}
{% macro duckdb__clock_margin() -%} {{ return(30) }} {%- endmacro %}

{% macro postgres__clock_margin() -%} {{ return(30) }} {%- endmacro %}

{% macro the_epoch() -%} cast('1970-01-01' as {{ dbt.type_timestamp() }}) {%- endmacro %}

{#- The condition that a row of a model is newer than what `this`, or another reader, has read of it. -#}
{% macro is_unmarked(batch, model, reader=none) -%}
    {{ batch }} > (
        select coalesce(max(marks.batch), 0) from {{ ref('read_marks') }} as marks
        where marks.reader = '{{ reader or this.identifier }}' and marks.model = '{{ model }}'
    )
{%- endmacro %}

{#- An incremental strategy for models that know which of their keys were here before (`_is_repeated`): only those are
    looked for and taken away. Mostly there are none, and then nothing of the table is read. -#}
{% macro get_incremental_repeated_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }} where {{ arg_dict['unique_key'] }} in (
        select {{ arg_dict['unique_key'] }} from {{ arg_dict['temp_relation'] }} where _is_repeated
    );
    insert into {{ arg_dict['target_relation'] }} ({{ columns }}) select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}

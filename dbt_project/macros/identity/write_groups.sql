{#- All rows anew, laid out by component where the engine keeps an order: a component's rows lie together and its columns
    repeat, so what an increment reads of the table is a third smaller on DuckDB. -#}
{% macro replace_groups(target_relation, existing, query) -%}
    {%- set intermediate = make_intermediate_relation(target_relation) -%}
    {%- set backup = make_backup_relation(target_relation, 'table') -%}
    {%- do drop_relation_if_exists(load_cached_relation(intermediate)) -%}
    {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}
    {%- call statement('main') -%} {{ create_table_as(False, intermediate, 'select * from (' ~ query ~ ') as resolved order by component_id') }} {%- endcall -%}
    {%- if existing is not none -%} {%- do adapter.rename_relation(existing, backup) -%} {%- endif -%}
    {%- do adapter.rename_relation(intermediate, target_relation) -%}
    {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}
{%- endmacro %}

{#- Rows that say what they said are left alone, so that their `_batch` tells readers what has changed. -#}
{% macro write_changed_groups(target_relation, existing, query) -%}
    {%- do run_script(scratch('identity_changed', "
        select resolved.* from (" ~ query ~ ") as resolved
        left join identity_scope as known on resolved.node_id = known.node_id
        where known.node_id is null
            or known.component_id <> resolved.component_id or known.group_id <> resolved.group_id
            or known.anchor_node_id <> resolved.anchor_node_id or known.confidence <> resolved.confidence
            or known.is_shared <> resolved.is_shared
            or known.is_blocked <> resolved.is_blocked or known.first_landed_at <> resolved.first_landed_at
            or coalesce(known.shared_with, '') <> coalesce(resolved.shared_with, '')
            or coalesce(known.neighbour_count, 0) <> coalesce(resolved.neighbour_count, 0)")) -%}
    {%- do merge_groups(target_relation, existing) -%}
{%- endmacro %}

{% macro merge_groups(target_relation, existing) -%}
    {{ return(adapter.dispatch('merge_groups', 'cdp')(target_relation, existing)) }}
{%- endmacro %}

{% macro default__merge_groups(target_relation, existing) -%}
    {%- set columns = get_quoted_csv(adapter.get_columns_in_relation(existing) | map(attribute='name')) -%}
    {%- call statement('main') -%}
        delete from {{ target_relation }} where node_id in (select changed.node_id from identity_changed as changed);
        insert into {{ target_relation }} ({{ columns }}) select {{ columns }} from identity_changed
    {%- endcall -%}
{%- endmacro %}

{#- A plain Spark table knows no delete: what stays is written beside what changed. -#}
{% macro spark__merge_groups(target_relation, existing) -%}
    {%- set names = adapter.get_columns_in_relation(existing) | map(attribute='name') | list -%}
    {%- do replace_groups(target_relation, existing, "
        select kept." ~ names | join(", kept.") ~ " from " ~ existing ~ " as kept
        left join identity_changed as changed on kept.node_id = changed.node_id
        where changed.node_id is null union all select " ~ names | join(", ") ~ " from identity_changed") -%}
{%- endmacro %}

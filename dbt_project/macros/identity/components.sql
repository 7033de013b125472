{#- A model whose query is links becomes the groups they form: one row per linked node with
    `component_id`, the smallest node of its group.

    The links are (left_node_id, right_node_id, tier, left_limit, right_limit), left < right, each pair
    once. A limit is how many nodes of that end's type a group may hold, null for any number; a group
    that holds more is taken apart and grown again from its strongest links, see `admit_by_tier`. -#}
{% materialization components, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set intermediate_relation = make_intermediate_relation(target_relation) -%}
    {%- set backup_relation = make_backup_relation(target_relation, 'table') -%}

    {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
    {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- do write_scratch('identity_links', sql) -%}
    {%- do connected_components('identity_links', 'identity_groups') -%}
    {%- set admitted = admit_by_tier('identity_links', 'identity_groups') -%}

    {% call statement('main') -%}
        {{ create_table_as(False, intermediate_relation, 'select node_id, component_id from ' ~ admitted) }}
    {%- endcall %}
    {%- do drop_scratch(['identity_links', 'identity_groups', 'identity_admitted']) -%}

    {% if existing_relation is not none %}
        {{ adapter.rename_relation(existing_relation, backup_relation) }}
    {% endif %}
    {{ adapter.rename_relation(intermediate_relation, target_relation) }}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ drop_relation_if_exists(backup_relation) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

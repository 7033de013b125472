{#- A model whose query is links (left_node_id, right_node_id), left < right, each once, becomes the groups they form: one
    row per linked node with `component_id`, the smallest node of its group. For groups that are nobody's profile; those
    of people have limits, see `resolution`. -#}
{% materialization components, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- do write_scratch('component_links', sql) -%}
    {%- do connected_components('component_links', 'component_groups') -%}
    {%- do replace_groups(target_relation, existing, 'select node_id, component_id from component_groups') -%}
    {%- do run_script(dropped(['component_links', 'component_groups'])) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

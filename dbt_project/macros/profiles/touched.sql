{#- Incremental models per profile: whom to look at again, and how to say that nothing is left of one. -#}
{% macro unread_profiles() -%}
    select changed.profile_id from {{ ref('touched_profiles') }} as changed
    where {{ is_unmarked('changed._batch', 'touched_profiles') }}
{%- endmacro %}

{#- Keeps only touched profiles in an increment. -#}
{% macro only_touched(column='profile_id', word='where') -%}
    {%- if is_incremental() %} {{ word }} {{ column }} in {{ among('touched', 'profile_id') }} {%- endif -%}
{%- endmacro %}

{#- What an increment of a model reads beside its query, for dbt, which looks only at the first build. -#}
{% macro per_profile(reads) -%}
    {%- for model in reads + ['read_marks'] -%} {%- do ref(model) -%} {%- endfor -%}
{%- endmacro %}

{#- One row per touched key that takes away what is stored of it; the others of the query replace it. -#}
{% macro gone_rows(null_count, key='profile_id', relation='touched') -%}
    {%- if is_incremental() %}

union all

select {{ key }}, {{ 'null, ' * null_count }}1 = 1 from {{ relation }}
    {%- endif %}
{%- endmacro %}

{#- How large each profile is, the one definition for health marts and their test: its identifiers, an address and
    its hash as one. Orders are not counted: a good customer has many, and they join nobody else. -#}
{% macro sized_profiles() -%}
    select
        profile_id,
        count(distinct case when identifier_type <> 'order_id' then node_id end) as identifier_count
    from {{ ref('profile_identifiers') }}
    group by profile_id
{%- endmacro %}

{#- The largest profile of the last build that passed, as a subquery; null before the first.

    The table is read without a ref: the test must run before the tables it guards are built, and the table is
    built only from what passed. -#}
{% macro largest_profile_before() -%}
    {%- set members = ref('profile_identifiers') -%}
    {%- set growth = load_relation(api.Relation.create(
        database=members.database, schema='ops', identifier='graph_growth')) if execute else none -%}
    {%- if growth is none -%}
    cast(null as {{ dbt.type_bigint() }})
    {%- else -%}
    (
        select growth.max_identifier_count
        from {{ growth }} as growth
        where growth.build_number = (select max(latest.build_number) from {{ growth }} as latest)
    )
    {%- endif -%}
{%- endmacro %}

{{ config(materialized='table') }}

{#- Source, its priority (1 wins), what its records are known by, and what they tell of a person. -#}
{%- set names = ['first_name', 'last_name'] -%}
{%- set address = ['address_line', 'city', 'postal_code', 'country_code'] -%}
{%- set sources = [
    ('crm', 1, ref('stg_crm__contacts'), 'crm_contact_id', 'contact_id', names + address + ['email', 'phone', 'birth_on']),
    ('loyalty_members', 2, ref('stg_store_receipts__loyalty_members'), 'loyalty_number', 'loyalty_number',
        names + address + ['email', 'phone', 'birth_on']),
    ('web_orders', 3, ref('stg_web_orders__orders'), 'order_id', 'order_id', names + address + ['email', 'phone']),
    ('support', 4, ref('stg_support__users'), 'support_user_id', 'support_user_id', names + ['email', 'phone']),
] %}

with

members as (

    select * from {{ ref('profile_identifiers') }}

),

told as (
{% for source, priority, model, identifier_type, key, attributes in sources %}
    {% set is_last_source = loop.last %}
    {% for attribute in attributes %}
    select
        members.profile_id,
        '{{ attribute }}' as attribute,
        cast(records.{{ attribute }} as {{ dbt.type_string() }}) as attribute_value,
        '{{ source }}' as source,
        {{ priority }} as priority,
        records.updated_at as told_at
    from {{ model }} as records
    inner join members
        on records.{{ key }} = members.identifier_value
        and members.identifier_type = '{{ identifier_type }}'
    where records.{{ attribute }} is not null
    {{ 'union all' if not (loop.last and is_last_source) }}
    {% endfor %}
{% endfor %}
),

-- an address or number is a profile's only if the graph says so: what is shared reaches nobody
own as (

    select told.*
    from told
    left join members
        on told.attribute = members.identifier_type
        and told.attribute_value = members.identifier_value
        and told.profile_id = members.profile_id
        and not members.is_shared
    where told.attribute not in ('email', 'phone')
        or members.profile_id is not null

    union all

    select profile_id, identifier_type, identifier_value, 'identity', 9, last_seen_at
    from members
    where identifier_type in ('email', 'phone', 'user_id', 'loyalty_number')
        and not is_shared

),

ranked as (

    select
        own.*,
        row_number() over (
            partition by profile_id, attribute
            order by priority, told_at desc, {{ cdp_bytewise('attribute_value') }}, {{ cdp_bytewise('source') }}
        ) as choice
    from own

)

select profile_id, attribute, attribute_value, source, told_at
from ranked
where choice = 1

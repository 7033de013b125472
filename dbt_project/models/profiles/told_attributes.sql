{%- set reads = ['touched_profiles'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id', reads=reads, tags=['hot']
) }} {{- per_profile(reads) }}

{#- Source, what its records are known by, and what they tell of a person. A source is also a row per
    attribute in the seed `survivorship_rules`. -#}
{%- set names = ['first_name', 'last_name'] -%}
{%- set address = ['address_line', 'city', 'postal_code', 'country_code'] -%}
{%- set sources = [
    ('crm', ref('stg_crm__contacts'), 'crm_contact_id', 'contact_id', names + address + ['email', 'phone', 'birth_on']),
    ('loyalty_members', ref('stg_store_receipts__loyalty_members'), 'loyalty_number', 'loyalty_number',
        names + address + ['email', 'phone', 'birth_on']),
    ('web_orders', ref('stg_web_orders__orders'), 'order_id', 'order_id', names + address + ['email', 'phone']),
    ('support', ref('stg_support__users'), 'support_user_id', 'support_user_id', names + ['email', 'phone']),
] %}

with

{% if is_incremental() %}
touched as (

    {{ unread_profiles() }}

),

{% endif %}
{{ touched_identifiers() }},

told as (

    {{ tell(sources) }}

),

-- an address or number is a profile's only if the graph says so: what is shared reaches nobody
known as (

    select told.*
    from told
    left join members
        on told.attribute = members.identifier_type
        and told.attribute_value = members.identifier_value
        and told.profile_id = members.profile_id
        and not members.is_shared
    where told.attribute_value is not null
        and (told.attribute not in ('email', 'phone') or members.profile_id is not null)

    union all

    select
        members.profile_id,
        members.identifier_type as attribute,
        members.identifier_value as attribute_value,
        'identity' as source,
        identifiers.last_record as record_id,
        members.last_seen_at as told_at
    from members
    left join (
        select node_id, last_record from {{ ref('identifiers') }}
        where node_id in {{ among('members', 'node_id') }}
    ) as identifiers
        on members.node_id = identifiers.node_id
    where members.identifier_type in ('email', 'phone', 'user_id', 'loyalty_number')
        and not members.is_shared

)

select
    profile_id,
    attribute,
    attribute_value,
    source,
    record_id,
    told_at,
    {{ next_graph_batch() }} as _batch,
    1 = 0 as _is_gone
from known
{{- gone_rows(6) }}

{{ config(materialized='incremental', unique_key='record_key', on_schema_change='fail') }}

with

told as (

    {{ person_told('crm', ref('judged_crm__contacts'), 'updated_at', 'crm_contact_id', 'contact_id', {
        'email': 'coalesce(email, second_email)', 'phone': 'coalesce(phone, mobile_phone)'}) }}

    union all

    {{ person_told('loyalty_members', ref('judged_store_receipts__loyalty_members'), 'updated_at',
        'loyalty_number', 'loyalty_number') }}

    union all

    {{ person_told('web_orders', ref('judged_web_orders__orders'), 'ordered_at',
        "case when customer_id is null then 'order_id' else 'user_id' end",
        'coalesce(customer_id, order_id)', {'birth_on': 'null'}) }}

    union all

    {{ person_told('support', ref('judged_support__users'), 'updated_at', 'support_user_id', 'support_user_id', {
        'address_line': 'null', 'postal_code': 'null', 'city': 'null', 'birth_on': 'null'}) }}

),

named as (

    select * from told where first_name is not null and last_name is not null

),

-- guest orders that say the same are one record, found by what they say: the graph links them by their contact
hashed as (

    select
        named.*,
        {{ content_hash([
            'source', 'identifier_type', 'first_name', 'last_name', 'address_line', 'postal_code', 'city', 'birth_on',
            'email', 'phone',
            "case when identifier_type <> 'order_id' or coalesce(email, phone) is null then identifier_value end",
        ]) }} as said
    from named

),

ranked as (

    select
        hashed.*,
        row_number() over (
            partition by said order by _landed_at, observed_at, {{ cdp_bytewise('identifier_value') }}
        ) as position
    from hashed

),

present as (

    select
        {{ cdp_md5("ranked.said || ranked.identifier_value") }} as record_key,
        ranked.source,
        {{ node_id('rules.type_code', 'ranked.identifier_type', 'ranked.identifier_value') }} as node_id,
        ranked.identifier_type,
        ranked.first_name,
        coalesce(nicknames.canonical_name, ranked.first_name) as canonical_first_name,
        ranked.last_name,
        ranked.address_line,
        ranked.postal_code,
        ranked.city,
        ranked.birth_on,
        ranked.email,
        ranked.phone,
        1 = 0 as is_withdrawn,
        ranked.observed_at,
        ranked._landed_at
    from ranked
    inner join {{ ref('identifier_rules') }} as rules
        on ranked.identifier_type = rules.identifier_type
    left join {{ ref('nicknames') }} as nicknames
        on ranked.first_name = nicknames.nickname
    where ranked.position = 1

)

{{ person_changes('present') }}

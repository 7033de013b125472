{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('support', 'users') }}

),

typed as (

    select
        {{ filled('id') }} as support_user_id,
        {{ normalise_name('landed.name') }} as full_name,
        {{ first_name_of('landed.name') }} as first_name,
        {{ last_name_of('landed.name') }} as last_name,
        {{ normalise_email('email') }} as email,
        phone_e164 as phone,
        {{ filled('external_id') }} as customer_id,
        created_at,
        updated_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['support_user_id'],
    rules={
        'missing_support_user_id': "support_user_id is null",
        'unparsed_updated_at': is_unparsed('updated_at'),
        'future_timestamp': is_in_future('updated_at'),
    },
    columns=[
        'created_at', 'updated_at'
    ],
    personal=[
        'support_user_id', 'full_name', 'first_name', 'last_name', 'email', 'phone',
        'customer_id'
    ],
    identifiers=['email', 'phone', 'customer_id'],
) }}

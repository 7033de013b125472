{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('store_receipts', 'loyalty_members') }}

),

typed as (

    select
        {{ filled('loyalty_number') }} as loyalty_number,
        {{ filled('household_id') }} as household_id,
        {{ normalise_name('first_name') }} as first_name,
        {{ normalise_name('last_name') }} as last_name,
        {{ normalise_email('email') }} as email,
        phone_e164 as phone,
        {{ filled('address_line_1') }} as address_line,
        {{ filled('city') }} as city,
        {{ filled('postal_code') }} as postal_code,
        {{ normalise_country('country_code') }} as country_code,
        {{ filled('age_band') }} as age_band,
        {{ filled('income_band') }} as income_band,
        {{ filled('household_size') }} as household_size,
        {{ cdp_try_date('birth_date') }} as birth_on,
        joined_at,
        updated_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['loyalty_number'],
    rules={
        'missing_loyalty_number': "loyalty_number is null",
        'unparsed_joined_at': is_unparsed('joined_at'),
        'future_timestamp': is_in_future('updated_at'),
    },
    columns=[
        'joined_at', 'updated_at'
    ],
    personal=[
        'loyalty_number', 'household_id', 'first_name', 'last_name', 'email', 'phone',
        'address_line', 'city', 'postal_code', 'country_code', 'age_band', 'income_band',
        'household_size', 'birth_on'
    ],
    identifiers=['loyalty_number', 'email', 'phone'],
) }}

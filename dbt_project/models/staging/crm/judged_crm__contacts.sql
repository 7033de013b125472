{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('crm', 'contacts') }}

),

typed as (

    select
        {{ filled('id') }} as contact_id,
        {{ normalise_email('property_email') }} as email,
        {{ normalise_email(cdp_split_part('property_hs_additional_emails', ';', 1)) }} as second_email,
        {{ normalise_name('property_firstname') }} as first_name,
        {{ normalise_name('property_lastname') }} as last_name,
        property_phone_e164 as phone,
        property_mobilephone_e164 as mobile_phone,
        {{ filled('property_address') }} as address_line,
        {{ filled('property_city') }} as city,
        {{ filled('property_zip') }} as postal_code,
        {{ normalise_country('property_country') }} as country_code,
        lower({{ filled('property_lifecyclestage') }}) as lifecycle_stage,
        {{ filled('property_loyalty_number') }} as loyalty_number,
        {{ cdp_try_date('property_date_of_birth') }} as birth_on,
        property_createdate as created_at,
        property_lastmodifieddate as updated_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['contact_id'],
    rules={
        'missing_contact_id': "contact_id is null",
        'unparsed_lastmodifieddate': is_unparsed('property_lastmodifieddate'),
        'future_timestamp': is_in_future('updated_at'),
    },
    columns=[
        'lifecycle_stage', 'created_at', 'updated_at'
    ],
    personal=[
        'contact_id', 'email', 'second_email', 'first_name', 'last_name', 'phone',
        'mobile_phone', 'address_line', 'city', 'postal_code', 'country_code', 'loyalty_number',
        'birth_on'
    ],
    identifiers=['email', 'second_email', 'phone', 'mobile_phone', 'loyalty_number'],
) }}

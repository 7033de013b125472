{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('store_receipts', 'coupon_redemptions') }}

),

typed as (

    select
        {{ filled('loyalty_number') }} as loyalty_number,
        {{ filled('coupon_upc') }} as coupon_id,
        {{ filled('campaign_id') }} as campaign_id,
        redeemed_on,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['loyalty_number', 'coupon_id', 'campaign_id', 'redeemed_on'],
    rules={
        'missing_loyalty_number': "loyalty_number is null",
        'missing_coupon_id': "coupon_id is null",
        'unparsed_redeemed_on': is_unparsed('redeemed_on'),
        'missing_redeemed_on': "redeemed_on is null",
    },
    columns=[
        'coupon_id', 'campaign_id', 'redeemed_on'
    ],
    personal=[
        'loyalty_number'
    ],
    identifiers=['loyalty_number'],
    repeats='ignored',
) }}

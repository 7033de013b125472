{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('products', 'coupons') }}

),

typed as (

    select
        {{ filled('coupon_upc') }} as coupon_id,
        {{ filled('product_id') }} as product_id,
        {{ filled('campaign_id') }} as campaign_id,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['coupon_id', 'product_id', 'campaign_id'],
    rules={
        'missing_coupon_id': "coupon_id is null",
        'missing_product_id': "product_id is null",
        'missing_campaign_id': "campaign_id is null",
    },
    columns=[
        'coupon_id', 'product_id', 'campaign_id'
    ],
    repeats='ignored',
) }}

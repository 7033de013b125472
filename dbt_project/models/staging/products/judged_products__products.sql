{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('products', 'products') }}

),

typed as (

    select
        {{ filled('product_id') }} as product_id,
        {{ filled('title') }} as title,
        {{ filled('vendor') }} as brand,
        {{ filled('department') }} as department,
        {{ filled('category') }} as category,
        {{ filled('product_type') }} as product_type,
        {{ filled('package_size') }} as package_size,
        price as price_amount,
        updated_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['product_id'],
    rules={
        'missing_product_id': "product_id is null",
        'unparsed_price': is_unparsed('price'),
        'negative_amount': "price_amount < 0",
        'unparsed_updated_at': is_unparsed('updated_at'),
    },
    columns=[
        'product_id', 'title', 'brand', 'department', 'category', 'product_type',
        'package_size', 'price_amount', 'updated_at'
    ],
) }}

{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('shipping', 'shipments') }}

),

typed as (

    select
        {{ filled('id') }} as shipment_id,
        {{ filled('order_id') }} as order_id,
        lower({{ filled('status') }}) as status,
        lower({{ filled('shipment_status') }}) as shipment_status,
        {{ filled('tracking_company') }} as carrier,
        recipient_phone_e164 as recipient_phone,
        created_at,
        updated_at,
        delivered_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['shipment_id'],
    rules={
        'missing_shipment_id': "shipment_id is null",
        'missing_order_id': "order_id is null",
        'unparsed_created_at': is_unparsed('created_at'),
        'delivered_before_created': "delivered_at < created_at",
        'future_timestamp': is_in_future('updated_at'),
    },
    columns=[
        'shipment_id', 'order_id', 'status', 'shipment_status', 'carrier', 'created_at',
        'updated_at', 'delivered_at'
    ],
    personal=[
        'recipient_phone'
    ],
    identifiers=['recipient_phone'],
) }}

{# dbt wants the refs of a model written out; a test compares the list with the folder models/staging. #}
{% macro judged_tables() -%}
    {{ return([
        ('collector', 'refusals'),
        ('consent', 'choices'),
        ('crm', 'contacts'),
        ('email_engagement', 'campaigns'),
        ('email_engagement', 'events'),
        ('finance', 'payments'),
        ('finance', 'refunds'),
        ('products', 'coupons'),
        ('products', 'products'),
        ('shipping', 'shipments'),
        ('store_receipts', 'coupon_redemptions'),
        ('store_receipts', 'loyalty_members'),
        ('store_receipts', 'receipt_lines'),
        ('store_receipts', 'receipts'),
        ('support', 'comments'),
        ('support', 'tickets'),
        ('support', 'users'),
        ('web_events', 'events'),
        ('web_orders', 'order_lines'),
        ('web_orders', 'orders'),
    ]) }}
{%- endmacro %}

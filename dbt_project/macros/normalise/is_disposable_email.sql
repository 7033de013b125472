{% macro is_disposable_email(email) -%}
coalesce({{ cdp_split_part(email, '@', 2) }} in (select domain from {{ ref('disposable_domains') }}), false)
{%- endmacro %}

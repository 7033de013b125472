{% macro is_role_email(email) -%}
coalesce({{ cdp_split_part(email, '@', 1) }} in (select mailbox from {{ ref('role_mailboxes') }}), false)
{%- endmacro %}

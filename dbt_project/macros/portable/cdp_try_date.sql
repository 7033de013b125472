{# Engines differ in what a lenient cast accepts, so only real ISO days reach the cast: 2026-02-30 is null everywhere. #}
{% macro iso_day_pattern() -%}
([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)
{%- endmacro %}

{% macro cdp_try_date(text) -%}
case
    when {{ cdp_regex_like('trim(' ~ text ~ ')', '^' ~ iso_day_pattern() ~ '$') }}
        then cast(trim({{ text }}) as date)
end
{%- endmacro %}

{# A day of grace for clocks and time zones; measured from landing, so that the verdict never changes. #}
{% macro is_in_future(timestamp) -%}{{ cdp_seconds_between('_landed_at', timestamp) }} > 86400{%- endmacro %}

{% macro cdp_milliseconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('cdp_milliseconds_between', 'cdp')(earlier, later)) }}
{%- endmacro %}

{# Whole elapsed milliseconds, rounded down. #}
{% macro default__cdp_milliseconds_between(earlier, later) -%}
cast(floor((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1000) as bigint)
{%- endmacro %}

{% macro postgres__cdp_milliseconds_between(earlier, later) -%}
cast(floor(extract(epoch from ({{ later }} - {{ earlier }})) * 1000) as bigint)
{%- endmacro %}

{% macro snowflake__cdp_milliseconds_between(earlier, later) -%}
cast(floor(datediff('microsecond', {{ earlier }}, {{ later }}) / 1000) as bigint)
{%- endmacro %}

{% macro bigquery__cdp_milliseconds_between(earlier, later) -%}
cast(floor(timestamp_diff({{ later }}, {{ earlier }}, microsecond) / 1000) as int64)
{%- endmacro %}

{% macro spark__cdp_milliseconds_between(earlier, later) -%}
cast(floor((unix_micros({{ later }}) - unix_micros({{ earlier }})) / 1000) as bigint)
{%- endmacro %}

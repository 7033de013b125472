{% macro cdp_seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('cdp_seconds_between', 'cdp')(earlier, later)) }}
{%- endmacro %}

{# Whole elapsed seconds, rounded down; never counted boundaries, which date_diff counts. #}
{% macro default__cdp_seconds_between(earlier, later) -%}
cast(floor((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1000000) as bigint)
{%- endmacro %}

{% macro postgres__cdp_seconds_between(earlier, later) -%}
cast(floor(extract(epoch from ({{ later }} - {{ earlier }}))) as bigint)
{%- endmacro %}

{% macro snowflake__cdp_seconds_between(earlier, later) -%}
cast(floor(datediff('microsecond', {{ earlier }}, {{ later }}) / 1000000) as bigint)
{%- endmacro %}

{% macro bigquery__cdp_seconds_between(earlier, later) -%}
cast(floor(timestamp_diff({{ later }}, {{ earlier }}, microsecond) / 1000000) as int64)
{%- endmacro %}

{% macro spark__cdp_seconds_between(earlier, later) -%}
cast(floor((unix_micros({{ later }}) - unix_micros({{ earlier }})) / 1000000) as bigint)
{%- endmacro %}

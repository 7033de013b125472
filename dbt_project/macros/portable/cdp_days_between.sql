{% macro cdp_days_between(earlier, later) -%}
    {{ return(adapter.dispatch('cdp_days_between', 'cdp')(earlier, later)) }}
{%- endmacro %}

{# Calendar days from one UTC day to the other; negative when later is the earlier one. #}
{% macro default__cdp_days_between(earlier, later) -%}
date_diff('day', cast({{ earlier }} as date), cast({{ later }} as date))
{%- endmacro %}

{% macro postgres__cdp_days_between(earlier, later) -%}
cast(cast({{ later }} as date) - cast({{ earlier }} as date) as bigint)
{%- endmacro %}

{% macro snowflake__cdp_days_between(earlier, later) -%}
datediff('day', cast({{ earlier }} as date), cast({{ later }} as date))
{%- endmacro %}

{% macro bigquery__cdp_days_between(earlier, later) -%}
date_diff(cast({{ later }} as date), cast({{ earlier }} as date), day)
{%- endmacro %}

{% macro spark__cdp_days_between(earlier, later) -%}
cast(datediff(cast({{ later }} as date), cast({{ earlier }} as date)) as bigint)
{%- endmacro %}

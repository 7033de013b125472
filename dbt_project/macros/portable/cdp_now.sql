{% macro cdp_now() -%}
    {%- set frozen = env_var('CDP_NOW', '') -%}
    {%- if frozen -%}
        {%- set moment = modules.datetime.datetime.fromisoformat(frozen | replace('Z', '+00:00')) -%}
        {%- set moment = moment - moment.utcoffset() if moment.tzinfo else moment -%}
        cast('{{ moment.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as {{ dbt.type_timestamp() }})
    {%- else -%}
        {{ return(adapter.dispatch('cdp_now', 'cdp')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__cdp_now() -%}(current_timestamp at time zone 'UTC'){%- endmacro %}

{% macro snowflake__cdp_now() -%}sysdate(){%- endmacro %}

{% macro bigquery__cdp_now() -%}current_timestamp(){%- endmacro %}

{% macro spark__cdp_now() -%}to_utc_timestamp(current_timestamp(), current_timezone()){%- endmacro %}

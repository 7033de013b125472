{#- Incremental audiences: of whom something had not happened yet by its clock when the model last looked, and has now.
    Of what is new only the last hour is read (of a table in order of time, little); the rest after a longer pause only,
    and asked for by kind (two at least: one would be a constant), because a join with nothing ends before it reads. -#}
{% macro clocks_ahead(relation, moment, column, kinds, landed=none) -%}
{%- set an_hour_ago = dbt.dateadd('hour', -1, cdp_now()) -%}
    select ahead.profile_id from {{ relation }} as ahead
    where ahead.{{ moment }} > {{ an_hour_ago }}
        and ahead.{{ moment }} <= {{ cdp_now() }}
        and ahead.{{ moment }} > (
            select coalesce(max(known._judged_at), {{ an_hour_ago }}) from {{ this }} as known
        )
        and ahead.{{ column }} in ('{{ kinds | join("', '") }}')
        {{- _had_not_happened(moment, landed) }}
    union distinct
    select ahead.profile_id from {{ relation }} as ahead
    where ahead.{{ moment }} <= {{ an_hour_ago }}
        and ahead.{{ moment }} > (select max(known._judged_at) from {{ this }} as known)
        and ahead.{{ column }} in (
            select kinds.kind from (
                {%- for kind in kinds %}
                select '{{ kind }}' as kind {{- ' union all' if not loop.last }}
                {%- endfor %}
            ) as kinds
            where (select max(known._judged_at) from {{ this }} as known) < {{ an_hour_ago }}
        )
        {{- _had_not_happened(moment, landed) }}
{%- endmacro %}

{% macro _had_not_happened(moment, landed) %}
        and ahead.profile_id is not null
        {%- if landed %} and ahead.{{ moment }} > ahead.{{ landed }} {%- endif %}
{%- endmacro %}

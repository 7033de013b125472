{#- Incremental audiences: of whom something had not happened yet by its clock when the model last looked, and has now.
    Of what is new only the last hour is read (of a table in order of time, little); the rest after a longer pause only,
    and asked for by kind (two at least: one would be a constant), because a join with nothing ends before it reads. -#}
{% macro clocks_ahead(relation, moment, since, column, kinds, landed=none) -%}
{%- set an_hour_ago = dbt.dateadd('hour', -1, cdp_now()) -%}
{%- set had_not_happened -%}
ahead.{{ moment }} > {{ last_looked_at(since) }} {%- if landed %} and ahead.{{ moment }} > ahead.{{ landed }} {%- endif %}
        and ahead.profile_id is not null
{%- endset -%}
    select ahead.profile_id from {{ relation }} as ahead
    where ahead.{{ moment }} > {{ an_hour_ago }}
        and ahead.{{ moment }} <= {{ cdp_now() }}
        and ahead.{{ column }} in ('{{ kinds | join("', '") }}')
        and {{ had_not_happened }}
    union distinct
    select ahead.profile_id from {{ relation }} as ahead
    where ahead.{{ moment }} >= {{ since }}
        and ahead.{{ moment }} <= {{ an_hour_ago }}
        and ahead.{{ column }} in (
            select kinds.kind from (
                {%- for kind in kinds %}
                select '{{ kind }}' as kind {{- ' union all' if not loop.last }}
                {%- endfor %}
            ) as kinds
            where {{ last_looked_at(since) }} < {{ an_hour_ago }}
        )
        and {{ had_not_happened }}
{%- endmacro %}

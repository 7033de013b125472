{#- Incremental audiences: of whom something had not happened yet by its clock when the model last looked, and has now.
    `landed` says when a row came: what had happened by then was looked at as new. -#}
{% macro clocks_ahead(relation, moment, since, landed=none) -%}
    select ahead.profile_id from {{ relation }} as ahead
    where ahead.{{ moment }} > {{ last_looked_at(since) }}
        and ahead.{{ moment }} <= {{ cdp_now() }}
        {%- if landed %}
        and ahead.{{ moment }} > ahead.{{ landed }}
        {%- endif %}
        and ahead.profile_id is not null
{%- endmacro %}

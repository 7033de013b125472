{# The seed is read only for what is not two letters already. max(): some engines want a scalar subquery to aggregate. #}
{% macro normalise_country(text) -%}
case
    when {{ cdp_regex_like('trim(' ~ text ~ ')', '^[A-Za-z][A-Za-z]$') }} and upper(trim({{ text }})) <> 'UK'
        then upper(trim({{ text }}))
    when {{ text }} is not null
        then (
            select max(country_names.country_code)
            from {{ ref('country_names') }} as country_names
            where country_names.country_name = lower(trim({{ text }}))
        )
end
{%- endmacro %}

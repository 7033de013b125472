{# Joins and a list of positions instead of arrays: no two engines unnest alike. #}
{% macro cdp_split_rows(relation, text, delimiter, name, most=5) -%}
select
    unsplit.*,
    trim({{ cdp_split_part('unsplit.' ~ text, delimiter, 1) }}) as {{ name }}
from {{ relation }} as unsplit
where trim({{ cdp_split_part('unsplit.' ~ text, delimiter, 1) }}) <> ''
{%- for part in range(2, most + 1) %}
union all
select
    unsplit.*,
    trim({{ cdp_split_part('unsplit.' ~ text, delimiter, part) }}) as {{ name }}
from {{ relation }} as unsplit
where trim({{ cdp_split_part('unsplit.' ~ text, delimiter, part) }}) <> ''
{%- endfor %}
{%- endmacro %}

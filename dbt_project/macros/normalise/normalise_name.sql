{# Blanks are tidied; what a form, an export or a template wrote instead of a name is null.
   'Na' stays: it is a surname. Nothing is recased: 'van Gogh', 'McDonald' and 'de la Cruz' are right as they are. #}
{% macro normalise_name(text) -%}
    {%- set tidy = "trim(" ~ cdp_regex_replace(text, '[ \u00a0\u3000]+', ' ') ~ ")" -%}
case
    when {{ cdp_regex_like(tidy, '[A-Za-z]|[^ -~]') }}
        and not {{ cdp_regex_like(tidy, '[{}<>|%]') }}
        and {{ tidy }} not like '%[%'
        and lower({{ tidy }}) not in (
            'null', 'n/a', 'none', 'nan', 'nil', 'undefined', 'unknown', 'not provided', 'test', 'tester',
            'anonymous', 'guest', 'customer', 'firstname', 'first name', 'first_name', 'lastname', 'last name',
            'last_name', 'name'
        )
        then {{ tidy }}
end
{%- endmacro %}

{# True when the row's own consent says so, or when one of its identifiers is on the suppression list. #}
{% macro suppression(identifiers, hashes, suppress_when) -%}
    {%- set tests = [suppress_when] if suppress_when else [] -%}
    {%- set listed = "(select listed.identifier_sha256 from " ~ ref('suppressed_identifiers') ~ " as listed)" -%}
    {%- for identifier in identifiers -%}
        {%- do tests.append(cdp_sha256(identifier) ~ " in " ~ listed) -%}
    {%- endfor -%}
    {%- for hash in hashes -%}
        {%- do tests.append(hash ~ " in " ~ listed) -%}
    {%- endfor -%}
coalesce({{ tests | join('\n            or ') if tests else '1 = 0' }}, 1 = 0)
{%- endmacro %}

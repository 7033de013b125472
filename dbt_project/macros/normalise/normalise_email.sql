{# Everything outside a wrapping <…>, a mailto: and blanks at the ends goes; what is left must look like an address.
   Checked before lower(): only ASCII can then reach it, and engines lower other alphabets differently.
   The apostrophe of o'brien@ is checked as _, because engines escape a quote inside a pattern differently. #}
{% macro normalise_email(text) -%}
    {%- set bare = cdp_regex_replace(text, '^.*[<:]|>.*$|^[ \u00a0]+|[ \u00a0]+$') -%}
    {%- set atom = '[A-Za-z0-9!#$%&*+/=?^_`~-]+' -%}
    {%- set label = '[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?' -%}
    {%- set address = '^' ~ atom ~ '([.]' ~ atom ~ ')*@(' ~ label ~ '[.])+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$' -%}
case
    when length({{ bare }}) <= 254 and {{ cdp_regex_like("replace(" ~ bare ~ ", chr(39), '_')", address) }}
        then lower({{ bare }})
end
{%- endmacro %}

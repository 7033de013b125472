{# /24 of an IPv4 address, /48 of an IPv6 address written out far enough; else null. Never the whole address. #}
{% macro truncate_ip(ip) -%}
case
    when {{ cdp_regex_like(ip, '^[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}$') }}
        then {{ cdp_regex_replace(ip, '[.][0-9]+$', '.0/24') }}
    when {{ cdp_regex_like(ip, '^[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:') }}
        then lower({{ cdp_regex_replace(
            cdp_split_part(ip, ':', 1) ~ " || ':' || " ~ cdp_split_part(ip, ':', 2) ~ " || ':' || " ~ cdp_split_part(ip, ':', 3), '$', '::/48'
        ) }})
end
{%- endmacro %}

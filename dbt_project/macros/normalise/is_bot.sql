{# 'cubot' is a maker of telephones. #}
{% macro is_bot(user_agent) -%}
coalesce({{ cdp_regex_like(
    "replace(lower(" ~ user_agent ~ "), 'cubot', '')",
    'bot|crawl|spider|slurp|headless|phantomjs|puppeteer|selenium|lighthouse|curl/|wget|python-|httpclient|okhttp|monitor|facebookexternalhit'
) }}, false)
{%- endmacro %}

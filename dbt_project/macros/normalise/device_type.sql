{% macro device_type(user_agent) -%}
case
    when {{ user_agent }} is null then null
    when {{ is_bot(user_agent) }} then 'bot'
    when {{ cdp_regex_like("lower(" ~ user_agent ~ ")", 'ipad|tablet') }} then 'tablet'
    when {{ cdp_regex_like("lower(" ~ user_agent ~ ")", 'mobi|iphone|android') }} then 'mobile'
    else 'desktop'
end
{%- endmacro %}

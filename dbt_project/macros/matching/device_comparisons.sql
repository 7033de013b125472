{#- How two cookies are compared, as `person_comparisons` says of people. Lifetimes that overlap are two devices, or
    one device with two browsers: a cookie that was cleared never comes back. -#}
{% macro device_comparisons() -%}
    {{ return([
        compared('ip_prefix', [
            ('same, of few cookies', "ip_prefix_l = ip_prefix_r and cookie_count_l <= 4 and cookie_count_r <= 4"),
            ('same', "ip_prefix_l = ip_prefix_r"),
        ]),
        compared('user_agent', [
            ('same', "user_agent_l = user_agent_r"),
            ('same kind of device', "device_type_l = device_type_r"),
        ]),
        compared('screen_size', [('same', "screen_size_l = screen_size_r")]),
        {
            'name': 'lifetimes',
            'unknown': 'first_seen_at_l is null or first_seen_at_r is null',
            'levels': [('one begins after the other ended', "first_seen_at_l > last_seen_at_r or first_seen_at_r > last_seen_at_l")],
        },
    ]) }}
{%- endmacro %}

{#- More cookies than this on one network in one window are an office, a provider or a crawler. -#}
{% macro most_cookies_of_a_home() -%}20{%- endmacro %}

{#- A cookie that comes later than this many windows after the other left says nothing: connections change hands. -#}
{% macro most_windows_apart() -%}6{%- endmacro %}

{#- Four weeks, counted from a Monday. -#}
{% macro window_number(moment) -%}
    {%- set days = cdp_days_between("cast('2020-01-06 00:00:00' as " ~ dbt.type_timestamp() ~ ")", moment) -%}
cast(floor({{ days }} / 28.0) as {{ dbt.type_bigint() }})
{%- endmacro %}

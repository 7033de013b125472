{#- Whom `cart_abandoners` looks at again. -#}
{% macro touched_carts(a_week_ago) -%}
-- also those of whom something has become a week old, or whose clock ran ahead
touched as (

    {{ touched_members() }}
    union distinct
    select known.profile_id from {{ this }} as known where known._oldest_event_at < {{ a_week_ago }}
    union distinct
    {{ clocks_ahead(ref('profile_events'), 'occurred_at', a_week_ago, landed='_landed_at') }}

)
{%- endmacro %}

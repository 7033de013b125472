{#- Whom `cart_abandoners` looks at again. -#}
{% macro touched_carts(a_week_ago) -%}
-- also those of whom something has become a week old, or whose clock ran ahead
touched as (

    {{ unread_profiles() }}
    union distinct
    select changed.profile_id from {{ ref('profiles') }} as changed
    where {{ is_unmarked('changed._batch', 'profiles') }}
    union distinct
    select known.profile_id from {{ this }} as known where known._oldest_event_at < {{ a_week_ago }}
    union distinct
    select ahead.profile_id from {{ ref('profile_events') }} as ahead
    where ahead.occurred_at > (select max(known._judged_at) from {{ this }} as known)
        and ahead.occurred_at <= {{ cdp_now() }}
        and ahead.profile_id is not null

)
{%- endmacro %}

{%- set reads = ['touched_profiles', 'profiles', 'channel_orders', 'clock'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id', reads=reads, tags=['hot']
) }} {{- per_profile(reads) }}
{#- Bought in the last 14 days: not to be shown acquisition advertising now. -#}

{%- set two_weeks_ago = dbt.dateadd('day', -14, dbt.date_trunc('day', cdp_now())) %}

with

{% if is_incremental() %}
-- also those whose purchase has become two weeks old, or whose clock ran ahead
touched as (

    {{ touched_members() }}
    union distinct
    select changed.profile_id from {{ ref('channel_orders') }} as changed
    where {{ is_unmarked('changed._batch', 'channel_orders') }} and changed.profile_id is not null
    union distinct
    select known.profile_id from {{ this }} as known where known.last_order_at < {{ two_weeks_ago }}
    union distinct
    {{ clocks_ahead(ref('channel_orders'), 'ordered_at', two_weeks_ago) }}

),

{% endif %}
buyers as (

    select profile_id, max(ordered_at) as last_order_at
    from {{ ref('channel_orders') }}
    where profile_id is not null
        and not is_cancelled
        and ordered_at <= {{ cdp_now() }}
        {{- only_touched(word='and') }}
    group by profile_id
    having max(ordered_at) >= {{ two_weeks_ago }}

)

select
    profiles.profile_id,
    profiles.email,
    profiles.phone,
    profiles.first_name,
    profiles.last_name,
    profiles.country_code,
    buyers.last_order_at,
    {{ dbt.dateadd('day', 14, 'buyers.last_order_at') }} as suppressed_until_at,
    1 = 0 as _is_gone
from {{ touched_rows('profiles') }} as profiles
inner join buyers
    on profiles.profile_id = buyers.profile_id
where profiles.email is not null
    or profiles.phone is not null
{{- gone_rows(7) }}

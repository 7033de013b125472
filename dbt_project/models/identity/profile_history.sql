{# History is the one thing that can't be computed again: a full refresh keeps it. #}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with

members as (

    select * from {{ ref('profile_identifiers') }}

)

{% if not is_incremental() %}

select
    profile_id,
    identifier_type,
    identifier_value,
    'new' as cause,
    {{ cdp_now() }} as valid_from,
    1 as version
from members

{% else %}
,

numbered as (

    select
        history.*,
        row_number() over (partition by identifier_type, identifier_value order by version desc) as recency
    from {{ this }} as history

),

latest as (

    select * from numbered where recency = 1

),

living as (

    select distinct profile_id from members

)

select
    members.profile_id,
    members.identifier_type,
    members.identifier_value,
    case
        when latest.profile_id is null then 'new'
        when living.profile_id is null then 'merge'
        else 'split'
    end as cause,
    {{ cdp_now() }} as valid_from,
    coalesce(latest.version, 0) + 1 as version
from members
left join latest
    on members.identifier_type = latest.identifier_type
    and members.identifier_value = latest.identifier_value
left join living
    on latest.profile_id = living.profile_id
where latest.profile_id is null
    or latest.profile_id <> members.profile_id

{% endif %}

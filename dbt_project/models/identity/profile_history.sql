{#- History is the one thing that can't be computed again: a full refresh keeps it. -#}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, tags=['hot']) }}

with

told as (

    select * from {{ ref('profile_identifiers') }}
    {%- if is_incremental() %}
    where {{ is_unread('_batch', '_profiles_batch') }}
    {%- endif %}

),

-- an address that is known has a second row, under its hash
members as (

    select told.*
    from told
    left join (select known.node_id from told as known where known.identifier_type = 'email') as addresses
        on told.node_id = addresses.node_id
    where told.identifier_type <> 'email_sha256' or addresses.node_id is null

),

{% if is_incremental() %}
latest as (

    select node_id, profile_id, anchor_node_id, version
    from (
        select
            history.node_id,
            history.profile_id,
            history.anchor_node_id,
            history.version,
            row_number() over (partition by history.node_id order by history.version desc) as recency
        from {{ this }} as history
        where history.node_id in {{ among('members', 'node_id') }}
    ) as ranked
    where recency = 1

),

living as (

    -- found by number: ids of profiles are long
    select distinct anchor_node_id from {{ ref('profile_identifiers') }}
    where anchor_node_id in (
        select latest.anchor_node_id
        from latest
        inner join members
            on latest.node_id = members.node_id
        where latest.profile_id <> members.profile_id
    )

),

moved as (

    select
        members.*,
        latest.profile_id as previous_profile_id,
        case
            when latest.profile_id is null then 'new'
            when living.anchor_node_id is null then 'merge'
            else 'split'
        end as cause,
        coalesce(latest.version, 0) + 1 as version
    from members
    left join latest
        on members.node_id = latest.node_id
    left join living
        on latest.anchor_node_id = living.anchor_node_id
    where latest.profile_id is null
        or latest.profile_id <> members.profile_id

),

{{ find_triggers('moved', 'told') }}
{% else %}
moved as (

    select members.*, cast(null as {{ dbt.type_string() }}) as previous_profile_id, 'new' as cause, 1 as version
    from members

),

{{ no_triggers() }}
{% endif %}
select
    moved.node_id,
    moved.identifier_type,
    moved.identifier_value,
    moved.profile_id,
    moved.previous_profile_id,
    moved.anchor_node_id,
    moved.cause,
    {{ cdp_now() }} as valid_from,
    moved.version,
    triggers.left_node_id as evidence_left_node_id,
    triggers.right_node_id as evidence_right_node_id,
    triggers.rule as evidence_rule,
    triggers.first_observed_at as effective_at,
    moved._batch as _profiles_batch,
    (select coalesce(max(newest._batch), 0) from {{ ref('identifier_pairs') }} as newest) as _pairs_batch
from moved
left join triggers
    on moved.profile_id = triggers.profile_id
    and moved.previous_profile_id = triggers.previous_profile_id

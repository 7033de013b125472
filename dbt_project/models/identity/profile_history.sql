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
{{ movements_of('members') }},

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
    {{ newest(ref('identifier_pairs')) }} as _pairs_batch
from moved
left join triggers
    on moved.profile_id = triggers.profile_id
    and moved.previous_profile_id = triggers.previous_profile_id

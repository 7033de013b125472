{{ config(materialized='incremental', incremental_strategy='replace', unique_key='node_id', tags=['hot']) }}

{#- Named, not CTEs: what is read several times would be copied whole first. -#}
{%- set identifiers, groups, pairs = ref('identifiers'), ref('identifier_groups'), ref('identifier_pairs') %}

with

{% if is_incremental() %}
-- whatever changed at an identifier or a pair is looked at with the whole profile, the old one and the new one
changed as (

    select node_id from {{ identifiers }} where {{ is_unread('_observations_batch', '_observations_batch') }}
    union distinct
    select node_id from {{ groups }} where {{ is_unread('_batch', '_groups_batch') }}
    union distinct
    select left_node_id from {{ pairs }} where {{ is_unread('_batch', '_pairs_batch') }}
    union distinct
    select right_node_id from {{ pairs }} where {{ is_unread('_batch', '_pairs_batch') }}

),

touched as (

    select groups.group_id from {{ groups }} as groups where groups.node_id in {{ among('changed', 'node_id') }}
    union distinct
    select known.group_id from {{ this }} as known where known.node_id in {{ among('changed', 'node_id') }}

),
{% endif %}

grouped as (

    select * from {{ groups }}
    {% if is_incremental() %}
    where group_id in {{ among('touched', 'group_id') }}
    {% endif %}

),

ties as (

    select
        pairs.left_node_id,
        pairs.right_node_id,
        case pairs.confidence when 'exact' then 1 when 'strict' then 2 else 3 end as confidence_rank,
        pairs.first_landed_at
    from (select * from {{ pairs }} where left_node_id in {{ among('grouped', 'node_id') }}) as pairs
    inner join grouped as left_grouped
        on pairs.left_node_id = left_grouped.node_id
    inner join grouped as right_grouped
        on pairs.right_node_id = right_grouped.node_id
    where pairs.is_live
        and left_grouped.group_id = right_grouped.group_id

),

-- an identifier is as sure as the best evidence that ties it to the others of its profile
strongest as (

    select node_id, min(confidence_rank) as confidence_rank, min(first_landed_at) as first_tied_at
    from (
        select left_node_id as node_id, confidence_rank, first_landed_at from ties
        union all
        select right_node_id, confidence_rank, first_landed_at from ties
    ) as ends
    group by node_id

),

{{ name_profiles('grouped', identifiers, 'strongest') }}

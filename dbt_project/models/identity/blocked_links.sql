{{ config(materialized='incremental', incremental_strategy='replace', unique_key=['left_node_id', 'right_node_id']) }}

{%- set rules = read_identifier_rules(ref('identifier_rules')) %}

with

groups as (

    select * from {{ ref('identifier_groups') }}

),

pairs as (

    select * from {{ ref('identifier_pairs') }}

),

{% if is_incremental() %}
changed as (

    select left_node_id as node_id from pairs where {{ is_unread('_batch', '_pairs_batch') }}
    union distinct
    select right_node_id from pairs where {{ is_unread('_batch', '_pairs_batch') }}
    union distinct
    select node_id from {{ ref('profile_identifiers') }} where {{ is_unread('_batch', '_profiles_batch') }}
    union distinct
    select node_id from groups where {{ is_unread('_batch', '_groups_batch') }}

),

touched as (

    select group_id from groups where node_id in (select changed.node_id from changed)

),

{% endif %}
placed as (

    select
        pairs.*,
        left_groups.group_id as left_group,
        right_groups.group_id as right_group,
        case
            when not pairs.is_live then null
            when left_groups.is_blocked or right_groups.is_blocked then 'blocked_value'
            when left_groups.is_shared or right_groups.is_shared then 'shared_identifier'
            when left_groups.group_id <> right_groups.group_id then 'too_many_for_one_profile'
        end as reason,
        coalesce(left_groups.shared_with, right_groups.shared_with) as shared_with
    from pairs
    inner join groups as left_groups
        on pairs.left_node_id = left_groups.node_id
    inner join groups as right_groups
        on pairs.right_node_id = right_groups.node_id
    {% if is_incremental() %}
    where left_groups.group_id in (select touched.group_id from touched)
        or right_groups.group_id in (select touched.group_id from touched)
    {% endif %}

),

{{ explain_refusals('placed', 'groups', 'pairs', rules.limits) }}

{#- The last steps of `blocked_links`: which limit, or which decision, keeps two parts of a component apart. The parts
    as they ended tell it, because counts only grow. -#}
{% macro explain_refusals(placed, groups, pairs, limits) -%}
apart as (

    select distinct
        least(left_groups.group_id, right_groups.group_id) as low_group,
        greatest(left_groups.group_id, right_groups.group_id) as high_group
    from {{ pairs }} as pairs
    inner join {{ groups }} as left_groups
        on pairs.left_node_id = left_groups.node_id
    inner join {{ groups }} as right_groups
        on pairs.right_node_id = right_groups.node_id
    where pairs.decision = 'cannot_link'

),

refused_groups as (

    select left_group as group_id from {{ placed }} where reason = 'too_many_for_one_profile'
    union distinct
    select right_group from {{ placed }} where reason = 'too_many_for_one_profile'

),

weights as (

    {{ group_weights(groups, limits) }}

),

over_limit as (

    select placed.left_node_id, placed.right_node_id, min(left_weights.type_code) as type_code
    from {{ placed }} as placed
    inner join weights as left_weights
        on placed.left_group = left_weights.group_id
    inner join weights as right_weights
        on placed.right_group = right_weights.group_id
        and left_weights.class_id = right_weights.class_id
    where placed.reason = 'too_many_for_one_profile'
        and left_weights.weight + right_weights.weight > left_weights.most
    group by placed.left_node_id, placed.right_node_id

),

profiles as (

    select node_id, max(profile_id) as profile_id, max(_batch) as _batch
    from {{ ref('profile_identifiers') }}
    group by node_id

)

select
    placed.left_node_id,
    placed.right_node_id,
    placed.left_type,
    left_identifiers.identifier_value as left_value,
    placed.right_type,
    right_identifiers.identifier_value as right_value,
    case when placed.reason = 'too_many_for_one_profile' and apart.low_group is not null then 'cannot_link'
        else placed.reason
    end as reason,
    case placed.reason when 'shared_identifier' then placed.shared_with when 'too_many_for_one_profile' then
        limited.identifier_type end as detail,
    placed.link_count,
    placed.tier,
    placed.first_observed_at,
    left_profiles.profile_id as left_profile_id,
    right_profiles.profile_id as right_profile_id,
    {{ newest(ref('identifier_pairs')) }} as _pairs_batch,
    {{ newest(ref('profile_identifiers')) }} as _profiles_batch,
    {{ newest(ref('identifier_groups')) }} as _groups_batch,
    placed.reason is null as _is_gone
from {{ placed }} as placed
inner join {{ ref('identifiers') }} as left_identifiers
    on placed.left_node_id = left_identifiers.node_id
inner join {{ ref('identifiers') }} as right_identifiers
    on placed.right_node_id = right_identifiers.node_id
left join apart
    on least(placed.left_group, placed.right_group) = apart.low_group
    and greatest(placed.left_group, placed.right_group) = apart.high_group
left join over_limit
    on placed.left_node_id = over_limit.left_node_id
    and placed.right_node_id = over_limit.right_node_id
left join {{ ref('identifier_rules') }} as limited
    on over_limit.type_code = limited.type_code
left join profiles as left_profiles
    on placed.left_node_id = left_profiles.node_id
left join profiles as right_profiles
    on placed.right_node_id = right_profiles.node_id
{% if not is_incremental() %}
where placed.reason is not null
{% endif %}
{%- endmacro %}

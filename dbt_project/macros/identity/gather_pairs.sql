{#- The last steps of `identifier_pairs`: the evidence of each touched pair as one row. What orders pairs where a limit
    is at stake (tier, first arrival) never changes with repetition, or profiles would flap. -#}
{% macro gather_pairs(links, decided, rules) -%}
gathered as (

    select
        links.left_node_id,
        links.right_node_id,
        sum(case when is_withdrawn or rule in ('must_link', 'cannot_link') then 0 else links.link_count end) as link_count,
        min(case when not is_withdrawn then observed_at end) as first_observed_at,
        coalesce(min(case when not is_withdrawn then _landed_at end), min(_landed_at)) as first_landed_at,
        max(case when rule = 'same_record' and not is_withdrawn then 1 else 0 end) = 1 as is_told,
        max(case when rule in ('must_link', 'cannot_link') then rule end) as decision,
        max(case when rule = 'probable_person' and not is_withdrawn then 1 else 0 end) = 1 as is_probable_person,
        max(case when not is_withdrawn then score end) as score,
        max(_links_batch) as _links_batch,
        max(_probable_batch) as _probable_batch
    from {{ links }} as links
    group by links.left_node_id, links.right_node_id
    {%- if is_incremental() %}

    union all

    -- a decision that was lifted, without any evidence beside it
    select known.left_node_id, known.right_node_id, 0, null, known.first_landed_at, false, null, false, null,
        known._links_batch, known._probable_batch
    from {{ this }} as known
    inner join recounted
        on known.left_node_id = recounted.left_node_id
        and known.right_node_id = recounted.right_node_id
    left join {{ links }} as links
        on known.left_node_id = links.left_node_id
        and known.right_node_id = links.right_node_id
    where links.left_node_id is null
    {%- endif %}

),

graded as (

    select
        gathered.left_node_id,
        gathered.right_node_id,
        left_rules.identifier_type as left_type,
        right_rules.identifier_type as right_type,
        cast(gathered.link_count as bigint) as link_count,
        gathered.first_observed_at,
        gathered.first_landed_at,
        case
            when decision = 'must_link' then 0
            when not is_told then 100
            when left_rules.priority > right_rules.priority then left_rules.priority
            else right_rules.priority
        end as tier,
        case
            when decision = 'must_link' then 'exact'
            when not is_told or 'loose' in (left_rules.strength, right_rules.strength) then 'loose'
            when 'exact' in (left_rules.strength, right_rules.strength) then 'exact'
            else 'strict'
        end as confidence,
        case
            when decision = 'must_link' then decision
            when is_told then 'same_record'
            when is_probable_person then 'probable_person'
            when link_count > 0 then 'probable_device'
        end as rule,
        gathered.score,
        gathered.decision,
        gathered.link_count > 0 or coalesce(gathered.decision, '') = 'must_link' as is_live,
        gathered._links_batch,
        gathered._probable_batch
    from gathered
    inner join {{ ref('identifier_rules') }} as left_rules
        on {{ node_type_code('gathered.left_node_id') }} = left_rules.type_code
    inner join {{ ref('identifier_rules') }} as right_rules
        on {{ node_type_code('gathered.right_node_id') }} = right_rules.type_code

)

select
    graded.*,
    {{ next_graph_batch() }} as _batch,
    {{ changed_in(['tier', 'first_landed_at', 'decision', 'is_live'], 'graded', ['left_node_id', 'right_node_id']) }}
        as _shape_batch,
    cast({{ rules.fingerprint }} as bigint) as _rules
from graded
{{ join_known('graded', ['left_node_id', 'right_node_id']) }}
{%- endmacro %}


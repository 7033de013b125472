{{ config(meta={'dagster': {'ref': {'name': 'told_attributes'}}}) }}

-- what a source tells of an attribute can only survive by rule if both seeds know it
select distinct
    told.attribute,
    told.source,
    case
        when orders.attribute is null then 'survivorship_orders has no row for the attribute: say which rules decide'
        else 'survivorship_rules has no row for the attribute and source: say how far it is trusted'
    end as problem
from {{ ref('told_attributes') }} as told
left join {{ ref('survivorship_orders') }} as orders
    on told.attribute = orders.attribute
left join {{ ref('survivorship_rules') }} as sources
    on told.attribute = sources.attribute
    and told.source = sources.source
where orders.attribute is null
    or sources.source is null

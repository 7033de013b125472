{{ config(materialized='table') }}

select
    groups.node_id,
    identifiers.identifier_value as anonymous_id,
    identifiers.profile_id,
    'h_' || substr({{ cdp_md5("'household:' || " ~ as_text('groups.component_id')) }}, 1, 20) as household_id
from {{ ref('household_groups') }} as groups
inner join {{ ref('profile_identifiers') }} as identifiers
    on groups.node_id = identifiers.node_id

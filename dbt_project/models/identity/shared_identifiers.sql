{{ config(materialized='table') }}

with

pairs as (

    select * from {{ ref('identifier_pairs') }} where not is_blocked

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

limits as (
{% for neighbour_type, limit in [
    ('user_id', 'max_user_ids'), ('loyalty_number', 'max_loyalty_numbers'),
    ('crm_contact_id', 'max_crm_contacts'), ('email_sha256', 'max_emails'),
] %}
    select
        type_code,
        '{{ neighbour_type }}' as neighbour_type,
        {{ limit }} as max_neighbours
    from rules
    where {{ limit }} is not null
    {{ 'union all' if not loop.last }}
{% endfor %}
),

-- an address and its hash are one thing: what is linked to either counts for both
same_email as (

    select left_node_id as node_id, right_node_id as subject_id
    from pairs
    where is_same_email

),

neighbours as (

    select left_node_id as node_id, right_node_id as neighbour_id, right_type as neighbour_type
    from pairs
    where not is_same_email

    union all

    select right_node_id, left_node_id, left_type
    from pairs
    where not is_same_email

),

counted as (

    select
        coalesce(subjects.subject_id, neighbours.node_id) as subject_id,
        case when neighbours.neighbour_type = 'email' then 'email_sha256' else neighbours.neighbour_type end
            as neighbour_type,
        count(distinct coalesce(others.subject_id, neighbours.neighbour_id)) as neighbour_count
    from neighbours
    left join same_email as subjects
        on neighbours.node_id = subjects.node_id
    left join same_email as others
        on neighbours.neighbour_id = others.node_id
    group by 1, 2

),

over_limit as (

    select
        counted.subject_id,
        counted.neighbour_type,
        counted.neighbour_count,
        row_number() over (
            partition by counted.subject_id order by limits.type_code, counted.neighbour_type
        ) as position
    from counted
    inner join limits
        on {{ node_type_code('counted.subject_id') }} = limits.type_code
        and counted.neighbour_type = limits.neighbour_type
    where counted.neighbour_count > limits.max_neighbours

)

select subject_id as node_id, neighbour_type, neighbour_count
from over_limit
where position = 1

union all

select same_email.node_id, over_limit.neighbour_type, over_limit.neighbour_count
from over_limit
inner join same_email
    on over_limit.subject_id = same_email.subject_id
where over_limit.position = 1

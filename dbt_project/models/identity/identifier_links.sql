{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='_subject') }}

with

observations as (

    select * from {{ ref('identifier_observations') }}
    {% if is_incremental() %}
    where _subject in (
        select fresh._subject
        from {{ ref('identifier_observations') }} as fresh
        left join (select distinct _load_id from {{ this }}) as seen
            on fresh._load_id = seen._load_id
        where seen._load_id is null
    )
    {% endif %}

),

-- canonical order is the order of node ids, so a pair has one name
pairs as (

    select
        one.node_id as left_node_id,
        other.node_id as right_node_id,
        one.identifier_type as left_type,
        one.identifier_value as left_value,
        other.identifier_type as right_type,
        other.identifier_value as right_value,
        one.source,
        case when other.hashed_email is null then 'same_record' else 'email_hash' end as rule,
        one.record_id,
        one.observed_at,
        one._subject,
        one._row_id,
        one._landed_at,
        one._load_id
    from observations as one
    inner join observations as other
        on one._row_id = other._row_id
        and one.source = other.source
        and one.node_id < other.node_id
    where (one.hashed_email is null and other.hashed_email is null)
        or other.hashed_email = one.identifier_value

),

graded as (

    select
        pairs.*,
        case
            when pairs.rule = 'email_hash' then 'exact'
            when left_rules.priority > right_rules.priority then left_rules.strength
            else right_rules.strength
        end as confidence
    from pairs
    inner join {{ ref('identifier_rules') }} as left_rules
        on pairs.left_type = left_rules.identifier_type
    inner join {{ ref('identifier_rules') }} as right_rules
        on pairs.right_type = right_rules.identifier_type

)

select
    md5(_row_id || rule || cast(left_node_id as {{ dbt.type_string() }})
        || '-' || cast(right_node_id as {{ dbt.type_string() }})) as link_id,
    graded.*
from graded

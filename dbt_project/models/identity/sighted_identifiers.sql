{{ config(materialized='table') }}

with

observations as (

    select * from {{ ref('identifier_observations') }}

),

placeholders as (

    select * from {{ ref('blocked_identifiers') }}

),

sighted as (

    select
        node_id,
        min(identifier_type) as identifier_type,
        min(identifier_value) as identifier_value,
        min(hashed_email) as hashed_email,
        min(observed_at) as first_seen_at,
        max(observed_at) as last_seen_at,
        min(_landed_at) as first_landed_at,
        count(*) as observation_count
    from observations
    group by node_id

),

-- a hash is judged as the address it stands for
judged_as as (

    select
        node_id,
        case when hashed_email is null then identifier_type else 'email' end as identifier_type,
        lower(coalesce(hashed_email, identifier_value)) as identifier_value
    from sighted

),

blocked as (

    select judged_as.node_id
    from judged_as
    inner join placeholders
        on judged_as.identifier_value = placeholders.blocked_value
        and placeholders.identifier_type in ('any', judged_as.identifier_type)
    where placeholders.match_kind = 'exact'

    union distinct

    {% for identifier_type, pattern in blocked_patterns(ref('blocked_identifiers')) %}
    select node_id
    from judged_as
    where {{ cdp_regex_like('identifier_value', pattern) }}
        {{ "and identifier_type = '" ~ identifier_type ~ "'" if identifier_type != 'any' }}

    union distinct
    {% endfor %}
    -- the hash of a blocked address that nobody told in clear
    select sighted.node_id
    from sighted
    inner join placeholders
        on sighted.identifier_value = {{ cdp_sha256('placeholders.blocked_value') }}
    where sighted.identifier_type = 'email_sha256'
        and placeholders.identifier_type = 'email'
        and placeholders.match_kind = 'exact'

)

select
    sighted.node_id,
    sighted.identifier_type,
    sighted.identifier_value,
    sighted.first_seen_at,
    sighted.last_seen_at,
    sighted.first_landed_at,
    sighted.observation_count,
    blocked.node_id is not null as is_blocked
from sighted
left join blocked
    on sighted.node_id = blocked.node_id

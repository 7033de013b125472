{#- The last steps of `profile_identifiers`. The id is a hash of the oldest arrival of the profile: later evidence
    can't change it, and a rebuild gives it again. An address has two rows, one under its SHA-256. -#}
{% macro name_profiles(grouped, identifiers, strongest) -%}
named as (

    select
        grouped.node_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.email_sha256,
        'p_' || substr(md5('profile:' || cast(grouped.anchor_node_id as {{ dbt.type_string() }})), 1, 20) as profile_id,
        grouped.group_id,
        grouped.anchor_node_id,
        case coalesce(strongest.confidence_rank, 1) when 1 then 'exact' when 2 then 'strict' else 'loose' end
            as confidence,
        grouped.confidence as profile_confidence,
        grouped.is_shared,
        coalesce(strongest.first_tied_at, identifiers.first_landed_at) as since,
        identifiers.first_seen_at,
        identifiers.last_seen_at,
        identifiers.is_blocked or identifiers.observation_count = 0 as _is_gone
    from (select * from {{ identifiers }} where node_id in {{ among(grouped, 'node_id') }}) as identifiers
    inner join {{ grouped }} as grouped
        on identifiers.node_id = grouped.node_id
    left join {{ strongest }} as strongest
        on grouped.node_id = strongest.node_id

),

told as (

    select named.*, 1 as form from named
    union all
    select named.*, 2 as form from named
    where email_sha256 is not null and identifier_type = 'email'

)

select
    node_id,
    case when form = 1 then identifier_type else 'email_sha256' end as identifier_type,
    case when form = 1 then identifier_value else email_sha256 end as identifier_value,
    profile_id,
    group_id,
    anchor_node_id,
    confidence,
    profile_confidence,
    is_shared,
    since,
    first_seen_at,
    last_seen_at,
    {{ newest(ref('identifiers'), '_observations_batch') }} as _observations_batch,
    {{ newest(ref('identifier_groups')) }} as _groups_batch,
    {{ newest(ref('identifier_pairs')) }} as _pairs_batch,
    {{ next_graph_batch() }} as _batch,
    _is_gone
from told
{% if not is_incremental() %}
where not _is_gone
{% endif %}
{%- endmacro %}

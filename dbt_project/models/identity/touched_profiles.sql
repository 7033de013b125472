{{ config(materialized='incremental', incremental_strategy='replace', unique_key='profile_id', tags=['hot']) }}

-- whom to look at again: every profile that ever was, and the build that last changed something of it. Whoever keeps
-- something per profile notes up to which build it has read this, and looks only at what is newer.
with

changed as (

    select profile_id, _batch from {{ ref('profile_identifiers') }}
    {% if is_incremental() %}
    where {{ is_unread('_batch', '_batch') }}
    {% endif %}

    union all

    -- left by an identifier
    select previous_profile_id, _profiles_batch from {{ ref('profile_history') }}
    where previous_profile_id is not null
    {% if is_incremental() %}
        and {{ is_unread('_profiles_batch', '_batch') }}
    {% endif %}

    union all

    -- of an identifier that nobody has any more
    select history.profile_id, {{ newest(ref('profile_identifiers')) }}
    from {{ ref('profile_history') }} as history
    inner join {{ ref('identifiers') }} as identifiers
        on history.node_id = identifiers.node_id
    where (identifiers.is_blocked or identifiers.observation_count = 0)
    {% if is_incremental() %}
        and {{ is_unread('identifiers._observations_batch', '_observations_batch') }}
    {% endif %}

)

select
    profile_id,
    max(_batch) as _batch,
    {{ newest(ref('identifiers'), '_observations_batch') }} as _observations_batch,
    1 = 0 as _is_gone
from changed
group by profile_id

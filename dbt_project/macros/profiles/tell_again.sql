{#- What is told of whom the model looks at, with the trust in the source and whether somebody acted on it: the first
    steps of `attribute_candidates`. `rules` is the fingerprint of the rules. -#}
{% macro tell_again(rules) -%}
{% if is_incremental() %}
-- the numbers alone first: mostly there are none, and then no other column is read
behind as (

    select known._verified_batch
    from {{ this }} as known
    where known._verified_batch < (
        select case when {{ is_unread('max(newest._batch)', '_verified_batch') }} then max(newest._batch) end
        from {{ ref('verified_contacts') }} as newest
    )

),

-- also those whom other rules judge, and those of whom another address or number is verified now
touched as (

    {{ unread_profiles() }}

    union distinct

    select told.profile_id from {{ ref('told_attributes') }} as told
    where {{ is_unmarked('told._batch', 'told_attributes') }}

    union distinct

    select known.profile_id from {{ this }} as known where known._rules <> {{ rules }}

    union distinct

    select known.profile_id
    from (
        select * from {{ this }}
        where _contact_key is not null
            and _verified_batch in (select behind._verified_batch from behind)
    ) as known
    left join {{ ref('verified_contacts') }} as verified
        on known.attribute = verified.contact_type
        and known._contact_key = verified.contact_key
    where known.is_verified <> (verified.contact_key is not null)

),

{% endif %}
told_of as (

    select
        told.profile_id,
        told.attribute,
        told.attribute_value,
        told.source,
        told.record_id,
        told.told_at,
        case told.attribute
            when 'email' then {{ cdp_sha256('told.attribute_value') }}
            when 'phone' then told.attribute_value
        end as contact_key
    from {{ touched_rows('told_attributes') }} as told

),

told as (

    select
        told.*,
        sources.source_priority,
        verified.contact_key is not null as is_verified
    from told_of as told
    left join {{ ref('survivorship_rules') }} as sources
        on told.attribute = sources.attribute
        and told.source = sources.source
    left join {{ ref('verified_contacts') }} as verified
        on told.attribute = verified.contact_type
        and told.contact_key = verified.contact_key

)
{%- endmacro %}

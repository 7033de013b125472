{#- Observations in the shape in which `identifiers` adds them up, with each other and with what it has counted before. -#}
{% macro counted_observations(relation) -%}
select
        node_id, identifier_type, identifier_value, email_sha256, 1 = 0 as is_collided,
        case when is_withdrawn then 0 else 1 end as observation_count,
        case when not is_withdrawn then observed_at end as first_seen_at,
        case when not is_withdrawn then observed_at end as last_seen_at,
        case when not is_withdrawn then _landed_at end as first_told_at,
        _landed_at as first_landed_at,
        case when not is_withdrawn and identifier_type <> 'email_sha256' then observed_at end as last_record_at,
        case when not is_withdrawn and identifier_type <> 'email_sha256' then source || ':' || record_id end as last_record,
        _batch
    from {{ relation }}
{%- endmacro %}

{#- Whose each event is: by the strongest of its identifiers that is known. `choice` 1 of `ranked` is the answer. -#}
{% macro whose_events(events, members, by_strength) -%}
told as (

    select
        chosen.event_id,
        types.identifier_type,
        types.position,
        case types.position
            {%- for identifier_type in by_strength %}
            when {{ loop.index }} then chosen.{{ identifier_type }}
            {%- endfor %}
        end as identifier_value
    from {{ events }} as chosen
    cross join (
        {%- for identifier_type in by_strength %}
        select {{ loop.index }} as position, '{{ identifier_type }}' as identifier_type
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as types

),

-- found by number: members are many, and their values long
wanted as (

    select
        told.*,
        {{ node_of('rules', 'told') }} as node_id
    from told
    inner join {{ ref('identifier_rules') }} as rules
        on {{ type_of_node('told.identifier_type') }} = rules.identifier_type
    where told.identifier_value is not null

),

-- a shared identifier tells nothing about who it was, so it is asked last, the cookie first
candidates as (

    select
        wanted.event_id,
        members.node_id,
        members.profile_id,
        members.identifier_type,
        members.is_shared,
        case when members.is_shared then 200 - wanted.position else wanted.position end as position
    from {{ wanted_members(members) }} as members
    inner join wanted
        on members.node_id = wanted.node_id
        and members.identifier_type = wanted.identifier_type
        and members.identifier_value = wanted.identifier_value

),

ranked as (

    select candidates.*, row_number() over (partition by event_id order by position) as choice
    from candidates

)
{%- endmacro %}

{#- Who has just done something was just written again, at the end of the table; only the others are searched for. -#}
{% macro wanted_members(members) -%}
(
        {%- if is_incremental() %}
        with rewritten as (

            select * from {{ members }} where {{ is_unread('_observations_batch', '_observations_batch') }}

        )

        select * from rewritten
        union all
        select * from {{ members }}
        where node_id in (
            select wanted.node_id from wanted
            where wanted.node_id is not null and wanted.node_id not in (select rewritten.node_id from rewritten)
        )
        {%- else %}
        select * from {{ members }} where node_id in {{ among('wanted', 'node_id') }}
        {%- endif %}
    )
{%- endmacro %}

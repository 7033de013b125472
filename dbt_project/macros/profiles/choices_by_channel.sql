{#- What was said of purposes, a row for each channel that it is about. -#}
{% macro choices_by_channel(statements) -%}
    select
        told.decision_id,
        told.identifier_type,
        told.identifier_value,
        told.purpose,
        channels.channel,
        told.status,
        told.source,
        -- nothing is decided after now
        least(told.said_at, {{ cdp_now() }}) as decided_at
    from {{ statements }} as told
    inner join (
        {%- for channel in ['email', 'sms', 'push', 'ads', 'onsite', 'post'] %}
        select '{{ channel }}' as channel {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as channels
        -- `any` was all of them
        on told.channel in ('any', channels.channel)
{%- endmacro %}

{#- All decisions, or in an increment those about these identifiers, found in the log before they are laid out. -#}
{% macro decisions_about(members) -%}
{%- set statements -%}
    (select * from {{ ref('consent_statements') }} where identifier_value in {{ among(members, 'identifier_value') }})
{%- endset -%}
decisions as (

    {{ choices_by_channel(statements) if is_incremental() else 'select * from ' ~ ref('consent_decisions') }}

)
{%- endmacro %}

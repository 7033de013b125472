{# First arrival in landing order wins, among rows of the same verdict: a copy of a refused row is not judged by it. #}
{% macro rank_repeats(repeats) -%}
    {%- if repeats not in ('versions', 'ignored', 'contradictions') -%}
        {{ exceptions.raise_compiler_error(
            "judge(repeats='" ~ repeats ~ "') in " ~ this ~ ": choose versions (other values are a newer version), "
            ~ "ignored (whatever comes later under a key is a duplicate) or contradictions (other values are quarantined)."
        ) }}
    {%- endif -%}
    {%- set landing_order -%}
_landed_at, {{ cdp_bytewise('_load_id') }}, {{ cdp_bytewise('_source_file') }}, _row_number, {{ cdp_bytewise('_row_id') }}
    {%- endset -%}
-- mostly a row is the only one of its entity, and carrying all of its columns through a window costs more than all else
several as (

    select _entity_number from gathered group by _entity_number having count(*) > 1

),

copies as (

    select
        *,
        row_number() over (
            partition by _entity_key, _content_hash, _broken_rule, _is_suppressed, _is_duplicate
            order by {{ landing_order }}
        ) as _copy_number
    from gathered
    where _entity_number in (select several._entity_number from several)

),

turns as (

    select
        *,
        {% if repeats == 'versions' -%}
        1 as _turn
        {%- else -%}
        row_number() over (
            partition by
                _entity_key,
                case
                    when _copy_number = 1 and _broken_rule is null and not _is_suppressed and not _is_duplicate then 1
                    else 0
                end
            order by {{ landing_order }}
        ) as _turn
        {%- endif %}
    from copies

    union all

    select gathered.*, 1 as _copy_number, 1 as _turn
    from gathered
    where _entity_number not in (select several._entity_number from several)

),

judged as (

    select
        *,
        case
            when _is_duplicate or _copy_number > 1 then 'duplicate'
            when _is_suppressed then 'suppressed'
            when _broken_rule is not null then 'quarantined'
            when _turn > 1 then '{{ "duplicate" if repeats == "ignored" else "quarantined" }}'
            else 'published'
        end as _outcome
    from turns

)
{%- endmacro %}

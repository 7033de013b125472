{#
The last steps of every judged model: one outcome per landed row.

    suppressed   the person or the rules say that it must not be kept: its personal columns are null
    quarantined  it breaks a rule, or contradicts the row published under the same key
    duplicate    an earlier row said the same
    published    else

All rows of a touched entity are judged again together (those of one _entity_number), so that a load that commits
late gives what a full refresh gives. A row can only be overtaken, so the stored outcome says what is needed of it.
`_is_repeated` says that rows of the entity were here before: who reads on has something to replace.
#}
{% macro judge(
    relation, key, rules, columns, personal=[], identifiers=[], hashes=[], repeats='versions', suppress_when=none
) -%}
    {%- set kept = columns + personal -%}
    {%- set stored = ['_row_id', '_source_file', '_row_number', '_landed_at', '_load_id', '_entity_key',
        '_entity_number', '_content_hash'] -%}
{{ examine(relation, key, rules, kept, identifiers, hashes, repeats, suppress_when) }}

{% if is_incremental() -%}
-- the numbers alone first: mostly there are none, and then no column of the table is read
judged_before as (

    select known._entity_number
    from {{ this }} as known
    where known._entity_number in {{ among('examined', '_entity_number') }}

),

{% endif -%}
gathered as (

    select * from examined
    {%- if is_incremental() %}

    union all

    select
        {% for column in kept + stored %}{{ column }},
        {% endfor -%}
        case when _outcome = 'quarantined' and _rule <> 'contradicts_published_row' then _rule end as _broken_rule,
        _outcome = 'suppressed' as _is_suppressed,
        _outcome = 'duplicate' as _is_duplicate
    from {{ this }}
    where _entity_number in (select judged_before._entity_number from judged_before)
    {%- endif %}

),

{{ rank_repeats(repeats) }}

select
    {% for column in columns %}{{ column }},
    {% endfor -%}
    {% for column in personal %}case when not _is_suppressed then {{ column }} end as {{ column }},
    {% endfor -%}
    {% for column in stored %}{{ column }},
    {% endfor -%}
    {{ next_batch() }} as _batch,
    {% if is_incremental() -%}
    _entity_number in (select judged_before._entity_number from judged_before) as _is_repeated,
    {%- else -%}
    1 = 1 as _is_repeated,
    {%- endif %}
    _outcome,
    case _outcome
        when 'duplicate' then 'repeats_earlier_row'
        when 'quarantined' then coalesce(_broken_rule, 'contradicts_published_row')
        when 'suppressed' then 'suppressed'
    end as _rule
from judged
{%- endmacro %}

{#- Incremental audiences: whose membership to look at again. A profile may vanish without a trace in what profiles
    are built from (erased by hand), so each member is looked up there, by id only, once a minute. -#}
{% macro touched_members() -%}
    {{ unread_profiles() }}
    union distinct
    select changed.profile_id from {{ ref('profiles') }} as changed
    where {{ is_unmarked('changed._batch', 'profiles') }}
    union distinct
    select known.profile_id
    from {{ ref('profiles') }} as present
    right join (select members.profile_id from {{ this }} as members where {{ is_first_look_of_minute() }}) as known
        on present.profile_id = known.profile_id
    where present.profile_id is null
{%- endmacro %}

{#- The condition that `this`, whose `reads` name the clock, has not looked in this minute yet: for what would otherwise be
    most of the work of an owner that looks every second. A clock that stands still is another look each time. -#}
{% macro is_first_look_of_minute() -%}
{%- set now = cdp_seconds_between(the_epoch(), cdp_now()) -%}
(
        select count(*) from {{ ref('read_marks') }} as marks
        where marks.reader = '{{ this.identifier }}' and marks.model = 'clock'
            and floor(marks.batch / 60.0) = floor({{ now }} / 60.0) and marks.batch < {{ now }}
    ) = 0
{%- endmacro %}

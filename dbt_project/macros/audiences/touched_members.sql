{#- Incremental audiences: whose membership to look at again. A profile may vanish without a trace in what profiles
    are built from (erased by hand), so each member is looked up there, by id only. -#}
{% macro touched_members() -%}
    {{ unread_profiles() }}
    union distinct
    select changed.profile_id from {{ ref('profiles') }} as changed
    where {{ is_unmarked('changed._batch', 'profiles') }}
    union distinct
    select known.profile_id
    from {{ this }} as known
    left join (
        select profile_id from {{ ref('profiles') }}
        where profile_id in (select member.profile_id from {{ this }} as member where member.profile_id is not null)
    ) as present
        on known.profile_id = present.profile_id
    where present.profile_id is null
{%- endmacro %}

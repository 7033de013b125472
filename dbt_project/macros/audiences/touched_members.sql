{#- Incremental audiences: whose membership to look at again. A profile may vanish without a trace in what profiles
    are built from (erased by hand), so each member is looked up there, by id only. -#}
{% macro touched_members() -%}
    {{ unread_profiles() }}
    union distinct
    select changed.profile_id from {{ ref('profiles') }} as changed
    where {{ is_unmarked('changed._batch', 'profiles') }}
    union distinct
    select known.profile_id
    from {{ ref('profiles') }} as present
    right join {{ this }} as known
        on present.profile_id = known.profile_id
    where present.profile_id is null
{%- endmacro %}

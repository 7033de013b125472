-- One bad identifier that joins many people makes one huge profile. It fails here, while what is built from it is
-- still that of before. To accept a growth: raise `largest_profile`, or `dbt run --select graph_growth` makes
-- the present size the one that the next is compared with.
with

sized as (

    {{ sized_profiles() }}

),

judged as (

    select
        sized.*,
        {{ largest_profile_before() }} as largest_count_before
    from sized

)

select
    profile_id,
    identifier_count,
    case
        when identifier_count > {{ var('largest_profile') }}
            then 'has more identifiers than the variable largest_profile allows'
        else 'grew more than fivefold since the last build'
    end as problem
from judged
where identifier_count > {{ var('largest_profile') }}
    or (identifier_count > 50 and identifier_count > 5 * largest_count_before)

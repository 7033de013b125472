{#- Increments of `identifier_pairs`: the links that are new, and whether the pair goes on counting from what is known of it.
    It does if all that is new of it is more of the same: told by records alone, none of them read before or withdrawn, and
    nobody decided about it. Else its links are all counted again. -#}
{% macro counted_on(links) -%}
new_links as (

    select * from {{ links }} where {{ is_unread('_batch', '_links_batch') }}

),

known_pairs as (

    select *
    from (select * from {{ this }} where left_node_id in {{ among('new_links', 'left_node_id') }}) as known
    where exists (
        select 1 from new_links
        where new_links.left_node_id = known.left_node_id and new_links.right_node_id = known.right_node_id
    )

),

ways_to_count as (

    select
        new_links.left_node_id,
        new_links.right_node_id,
        max(case
            when coalesce(new_links._is_repeated, 1 = 1) or new_links.is_withdrawn then 1
            when known.left_node_id is null then 0
            when known.rule = 'same_record' and known.decision is null and known.score is null then 0
            else 1
        end) = 0 as is_counted_on
    from new_links
    left join known_pairs as known
        on new_links.left_node_id = known.left_node_id
        and new_links.right_node_id = known.right_node_id
    group by new_links.left_node_id, new_links.right_node_id

),

unread_links as (

    select new_links.*, ways_to_count.is_counted_on as _is_counted_on
    from new_links
    inner join ways_to_count
        on new_links.left_node_id = ways_to_count.left_node_id
        and new_links.right_node_id = ways_to_count.right_node_id

)
{%- endmacro %}

{#- What is new of the pairs that go on counting, and what is known of them, as one link of many. -#}
{% macro more_of_the_same() -%}
    {%- if is_incremental() %}

    union all

    select
        left_node_id, right_node_id, 1, rule, cast(null as decimal(9, 6)), is_withdrawn, observed_at, _landed_at, _batch,
        cast(0 as bigint)
    from unread_links
    where _is_counted_on
        and {{ is_no_recounted('unread_links') }}

    union all

    select
        left_node_id, right_node_id, link_count, rule, cast(null as decimal(9, 6)), 1 = 0, first_observed_at,
        first_landed_at, _links_batch, _probable_batch
    from known_pairs
    where {{ is_no_recounted('known_pairs') }}
    {%- endif %}
{%- endmacro %}

{% macro is_no_recounted(relation) -%}
not exists (
            select 1 from recounted
            where recounted.left_node_id = {{ relation }}.left_node_id
                and recounted.right_node_id = {{ relation }}.right_node_id
        )
{%- endmacro %}

{#- Of a large table the rows that may be of recounted pairs, found by one column: of two nothing is told to the scan. -#}
{% macro of_recounted_lefts(relation) -%}
    {%- if is_incremental() -%}
(select * from {{ relation }} where left_node_id in {{ among('recounted', 'left_node_id') }})
    {%- else -%} {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- Joins to the pairs whose links an increment counts again. -#}
{% macro of_recounted(relation) -%}
    {%- if is_incremental() %}
    inner join recounted
        on {{ relation }}.left_node_id = recounted.left_node_id
        and {{ relation }}.right_node_id = recounted.right_node_id
    {%- endif %}
{%- endmacro %}

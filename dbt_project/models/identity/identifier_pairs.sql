{{ config(materialized='incremental', unique_key=['left_node_id', 'right_node_id'], tags=['hot']) }}

{%- set rules = read_identifier_rules(ref('identifier_rules')) %}

with

decided as (

    select * from {{ ref('identity_decided') }}

),

{% if is_incremental() %}
{{ counted_on(ref('identifier_links')) }},

recounted as (

    select left_node_id, right_node_id from unread_links where not _is_counted_on

    union distinct

    select left_node_id, right_node_id from {{ ref('probable_links') }}
    where {{ is_unread('_batch', '_probable_batch') }}

    union distinct

    select known.left_node_id, known.right_node_id from {{ this }} as known
    where known._rules <> {{ rules.fingerprint }}

    union distinct

    select known.left_node_id, known.right_node_id
    from (select * from {{ this }} where decision is not null) as known
    left join decided
        on known.left_node_id = decided.left_node_id
        and known.right_node_id = decided.right_node_id
    where coalesce(decided.decision, '') <> known.decision

    union distinct

    select decided.left_node_id, decided.right_node_id
    from decided
    left join (select * from {{ this }} where decision is not null) as known
        on decided.left_node_id = known.left_node_id
        and decided.right_node_id = known.right_node_id
        and decided.decision = known.decision
    where known.left_node_id is null

),

{% endif %}
links as (

    select
        links.left_node_id,
        links.right_node_id,
        1 as link_count,
        links.rule,
        cast(null as decimal(9, 6)) as score,
        links.is_withdrawn,
        links.observed_at,
        links._landed_at,
        links._batch as _links_batch,
        cast(0 as bigint) as _probable_batch
    from {{ of_recounted_lefts(ref('identifier_links')) }} as links
    {{- of_recounted('links') }}
    {{- more_of_the_same() }}

    union all

    select
        probable.left_node_id, probable.right_node_id, 1, probable.rule, probable.score, probable.is_withdrawn,
        probable.observed_at, probable._landed_at, cast(0 as bigint), probable._batch
    from {{ ref('probable_links') }} as probable
    {{- of_recounted('probable') }}

    union all

    select
        decided.left_node_id, decided.right_node_id, 1, decided.decision, cast(null as decimal(9, 6)),
        decided.decision <> 'must_link',
        decided.decided_at as observed_at,
        decided.decided_at as _landed_at,
        cast(0 as bigint),
        cast(0 as bigint)
    from decided
    {{- of_recounted('decided') }}

),

{{ gather_pairs('links', 'decided', rules) }}

{{ config(materialized='incremental', unique_key=['left_node_id', 'right_node_id'], tags=['hot']) }}

{%- set rules = read_identifier_rules(ref('identifier_rules')) %}

with

decided as (

    select * from {{ ref('identity_decided') }}

),

links as (

    select
        left_node_id,
        right_node_id,
        rule,
        cast(null as decimal(9, 6)) as score,
        is_withdrawn,
        observed_at,
        _landed_at,
        _batch as _links_batch,
        cast(0 as bigint) as _probable_batch
    from {{ ref('identifier_links') }}

    union all

    select left_node_id, right_node_id, rule, score, is_withdrawn, observed_at, _landed_at, cast(0 as bigint), _batch
    from {{ ref('probable_links') }}

    union all

    select
        left_node_id,
        right_node_id,
        decision,
        cast(null as decimal(9, 6)),
        decision <> 'must_link',
        decided_at as observed_at,
        decided_at as _landed_at,
        cast(0 as bigint),
        cast(0 as bigint)
    from decided

),

{% if is_incremental() %}
touched as (

    select left_node_id, right_node_id from {{ ref('identifier_links') }}
    where {{ is_unread('_batch', '_links_batch') }}

    union distinct

    select left_node_id, right_node_id from {{ ref('probable_links') }}
    where {{ is_unread('_batch', '_probable_batch') }}

    union distinct

    select known.left_node_id, known.right_node_id
    from {{ this }} as known
    left join decided
        on known.left_node_id = decided.left_node_id
        and known.right_node_id = decided.right_node_id
    where known._rules <> {{ rules.fingerprint }}
        or (known.decision is not null and coalesce(decided.decision, '') <> known.decision)

    union distinct

    select decided.left_node_id, decided.right_node_id
    from decided
    left join {{ this }} as known
        on decided.left_node_id = known.left_node_id
        and decided.right_node_id = known.right_node_id
        and decided.decision = known.decision
    where known.left_node_id is null

),

{% endif %}
{{ gather_pairs('links', 'decided', rules) }}

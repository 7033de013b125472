-- Nothing is lost: what the loader counted is in raw, and what is in raw has exactly one outcome.
select
    connector,
    table_name,
    load_id,
    reported_count,
    landed_count
from {{ ref('conservation') }}
where
    landed_count <> published_count + quarantined_count + duplicate_count + suppressed_count
    or landed_count < reported_count

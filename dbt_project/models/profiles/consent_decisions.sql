{{ config(materialized='view') }}

{{ choices_by_channel(ref('consent_statements')) }}

-- Where limits keep people apart, a bad identifier makes no huge profile but one huge component, cut in many places.
-- It fails and is accepted like a profile that explodes; the variable is `largest_component`.
{{ config(meta={'dagster': {'ref': {'name': 'identifier_groups'}}}) }}
{{ exploding('component', sized_components(), 'max_component_size') }}

{% macro plumbing() -%}
_row_id, _source_file, _row_number, _landed_at, _variants, _row_hash, _dlt_load_id as _load_id
{%- endmacro %}

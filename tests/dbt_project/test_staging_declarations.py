"""The sources of dbt say what the connectors say, and every raw table has its two models."""

from __future__ import annotations

import pytest
from raw_world import PROJECT, declared_tables

from sources.names import PLUMBING, e164_of
from sources.source import Source, Table, Type, all_sources

RAW = [(source, table) for source in all_sources() for table in source.tables]
TYPES = {
    Type.TEXT: "text",
    Type.JSON: "text",
    Type.INTEGER: "bigint",
    Type.MONEY: "decimal(18, 2)",
    Type.FLAG: "boolean",
    Type.DAY: "date",
    Type.MOMENT: "timestamp",
}


def expected_columns(table: Table) -> dict[str, str]:
    """Name -> type of every column that loading writes, plumbing aside."""
    columns = {column.name: TYPES[column.type] for column in table.columns}
    return {**columns, **{e164_of(phone): "text" for phone in table.phones}}


def names(pairs: list[tuple[Source, Table]]) -> list[str]:
    return sorted(source.raw_name(table) for source, table in pairs)


@pytest.mark.parametrize(("source", "table"), RAW, ids=[source.raw_name(table) for source, table in RAW])
def test_a_source_table_is_declared_as_its_connector_loads_it(source, table):
    declared = declared_tables()[source.raw_name(table)]
    plumbing = {*PLUMBING, "_dlt_load_id"}
    assert plumbing <= set(declared)
    assert {n: c["data_type"] for n, c in declared.items() if n not in plumbing} == expected_columns(table)
    tags = {n: c["config"]["meta"]["pii"] for n, c in declared.items() if "config" in c}
    assert tags == table.personal


def test_every_raw_table_has_a_judged_and_a_published_model():
    files = {file.stem for file in (PROJECT / "models" / "staging").rglob("*.sql")}
    assert files == {f"{kind}_{name}" for kind in ("judged", "stg") for name in names(RAW)}


def test_the_ops_models_add_up_every_raw_table():
    """`judged_tables` is a list because dbt wants the refs of a model written out."""
    listed = (PROJECT / "macros" / "judge" / "judged_tables.sql").read_text()
    missing = [f"('{s.name}', '{t.name}')" for s, t in RAW if f"('{s.name}', '{t.name}')" not in listed]
    assert missing == []


def test_personal_columns_of_judged_models_are_emptied_when_suppressed(duckdb_manifest):
    """A tagged column has to be in the list `personal` of `judge`, or suppression would leave it there."""
    kept = []
    for node in duckdb_manifest.nodes.values():
        if node.name.startswith("judged_"):
            emptied = node.raw_code.partition("personal=[")[2].partition("]")[0]
            tagged = [name for name, column in node.columns.items() if column.config.meta.get("pii")]
            kept += [f"{node.name}.{name}" for name in tagged if f"'{name}'" not in emptied]
    assert kept == []

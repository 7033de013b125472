"""What identity and the golden record promise of their columns is what each warehouse gives, first and ever after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from raw_world import World

GOLDEN = ("told_attributes", "verified_contacts", "attribute_candidates", "profile_attributes", "profiles")
COLUMN = "column_name, data_type, numeric_precision, numeric_scale"


def promising(manifest: Any) -> Iterator[Any]:
    for node in manifest.nodes.values():
        if node.resource_type == "model" and (node.fqn[1] == "identity" or node.name in GOLDEN):
            yield node


def build(world: World) -> None:
    """dbt itself checks contracts, rows or none; not those of our own materialisations."""
    chosen = ["+models/identity", *(f"+{name}" for name in GOLDEN)]
    world.dbt("build", "--select", *chosen, "--exclude-resource-type", "test", "unit_test")


def declare(world: World, models: list[Any]) -> None:
    """Empty tables of the schema `promised`, as the contracts have them."""
    tables = [
        f"create table promised.{model.name} ("
        + ", ".join(f"{column.name} {column.data_type}" for column in model.columns.values())
        + ")"
        for model in models
    ]
    world.execute([(sql, ()) for sql in ["drop schema if exists promised cascade", "create schema promised", *tables]])


def columns(world: World, schema: str, table: str) -> list[tuple[Any, ...]]:
    where = f"table_schema = '{schema}' and table_name = '{table}'"
    return sorted(world.query(f"select {COLUMN} from information_schema.columns where {where}"))


def test_every_model_of_identity_and_the_golden_record_has_an_enforced_contract(duckdb_manifest):
    models = list(promising(duckdb_manifest))
    assert {model.name for model in models} >= {*GOLDEN, "identifier_groups", "profile_redirects"}
    assert [model.name for model in models if not model.config.contract.enforced] == []


@pytest.mark.parametrize("engine", ["world", pytest.param("postgres_world", marks=pytest.mark.postgres)])
def test_the_warehouse_gives_what_contracts_promise(engine, request, duckdb_manifest):
    world = request.getfixturevalue(engine)
    models = list(promising(duckdb_manifest))
    declare(world, models)
    for _ in ("first", "increment"):
        build(world)
        for model in models:
            assert columns(world, model.schema, model.name) == columns(world, "promised", model.name), model.name

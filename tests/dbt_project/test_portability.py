"""What is compiled for warehouses that these tests can't run.

dbt compiles every model and every golden vector on DuckDB, with the dispatch of our own macros turned to
another adapter's. dbt's macros still answer for DuckDB, because that adapter isn't installed, so type
names and the SQL of materialisations aren't proven. sqlglot then parses the result in the dialect of
that warehouse. It proves that the SQL parses and stays in the subset, not that it gives equal rows.
"""

from __future__ import annotations

import pytest
import sqlglot
from dbt.context import providers
from golden_vectors import vectors_as_sql
from raw_world import World
from sqlglot import exp
from sqlglot.tokens import TokenType

# dialect -> macro prefixes its adapter would search
PREFIXES = {
    "snowflake": ["snowflake", "default"],
    "bigquery": ["bigquery", "default"],
    "spark": ["spark", "default"],
    "databricks": ["databricks", "spark", "default"],
}
OUTSIDE_THE_SUBSET = (
    exp.Qualify, exp.Filter, exp.ArgMax, exp.ArgMin, exp.Distinct, exp.Lambda, exp.Struct, exp.Array,
    exp.Unnest, exp.Lateral, exp.Pivot, exp.IgnoreNulls, exp.ILike,
)  # fmt: skip
# Functions that sqlglot has no node for, and that exist there.
KNOWN = {
    "snowflake": {"SYSDATE"},
    "bigquery": set(),
    "spark": {"UNIX_MICROS", "CURRENT_TIMEZONE", "CONV", "OCTET_LENGTH"},
    "databricks": {"UNIX_MICROS", "CURRENT_TIMEZONE", "CONV", "OCTET_LENGTH"},
}


def turn_dispatch(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `adapter.dispatch(..., 'cdp')` find the macros of that dialect."""
    wrapper = providers.BaseDatabaseWrapper
    dispatch = wrapper.dispatch

    def turned(self, macro_name, macro_namespace=None, **arguments):
        if macro_namespace == "cdp":
            self._get_adapter_macro_prefixes = lambda: PREFIXES[dialect]
        try:
            return dispatch(self, macro_name, macro_namespace, **arguments)
        finally:
            self.__dict__.pop("_get_adapter_macro_prefixes", None)

    monkeypatch.setattr(wrapper, "dispatch", turned)


def compiled_for(dialect: str, world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Model name -> SQL as the macros of that dialect write it."""
    world.dbt("seed", "--select", "identifier_rules", "blocked_identifiers")  # their rows become SQL
    turn_dispatch(dialect, monkeypatch)
    models = world.dbt("compile", "--select", "resource_type:model")
    vectors = world.dbt("compile", "--inline", vectors_as_sql())
    return {result.node.name: result.node.compiled_code for result in [*models, *vectors]}


def complaints(name: str, sql: str, dialect: str) -> list[str]:
    """What keeps this SQL from the subset of that dialect."""
    found = []
    if any(token.token_type == TokenType.DCOLON for token in sqlglot.tokenize(sql, dialect)):
        found.append(":: cast")
    tree = sqlglot.parse_one(sql, dialect=dialect)
    for node in tree.walk():
        if isinstance(node, exp.Distinct) and not node.args.get("on"):
            continue
        if isinstance(node, OUTSIDE_THE_SUBSET):
            found.append(type(node).__name__)
        elif isinstance(node, exp.Collate):
            found.append("collate")
        elif isinstance(node, exp.Anonymous) and node.name.upper() not in KNOWN[dialect]:
            found.append(f"unknown function {node.name}")
    return [f"{name}: {what}" for what in dict.fromkeys(found)]


@pytest.mark.parametrize("dialect", PREFIXES)
def test_every_model_parses_in_a_dialect_we_can_t_run(dialect, world, monkeypatch):
    models = compiled_for(dialect, world, monkeypatch)
    assert len(models) > 40
    assert [line for name, sql in models.items() for line in complaints(name, sql, dialect)] == []

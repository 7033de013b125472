"""Training compares by the same words as the warehouse: macros read without dbt are what dbt makes of them."""

from __future__ import annotations

import re

import pytest

from dagster_cdp import dbt
from dagster_cdp.matching.macros import project_macros


def plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip().replace("TEXT", "text")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> dict[str, str]:
    """Model name -> SQL by dbt itself."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CDP_WAREHOUSE", str(tmp_path_factory.mktemp("compiled") / "warehouse.duckdb"))
        environment.delenv("CDP_TARGET", raising=False)
        outcome = dbt.invoke(
            ["compile", "--select", "match_scores", "match_candidates", "device_matches", *dbt.places()]
        )
    return {one.node.name: plain(one.node.compiled_code) for one in outcome.result}


def test_levels_are_dbt_s_own(compiled):
    macros = project_macros()
    for model, comparisons in (("match_scores", "person_comparisons"), ("device_matches", "device_comparisons")):
        for comparison in getattr(macros, comparisons)():
            assert plain(macros.match_level(comparison)) in compiled[model], comparison["name"]


def test_candidate_pairs_are_dbt_s_own(compiled):
    macros = project_macros()
    assert plain(macros.match_pairs("records", macros.person_blocks())) in compiled["match_candidates"]


def test_a_dialect_has_its_own_words():
    assert "strlen" in project_macros("duckdb").cdp_levenshtein("a", "b")
    assert "octet_length" in project_macros("spark").cdp_levenshtein("a", "b")
    assert "editdistance" in project_macros("snowflake").cdp_levenshtein("a", "b")


def test_a_macro_that_returns_a_value_gives_it():
    assert tuple(project_macros().person_blocks()[0]) == ("email", "email", 50)

"""Every macro answers its golden vectors, on each engine the project is run on."""

from __future__ import annotations

import pytest
from dbt_common.exceptions import DbtBaseException
from golden_vectors import golden_vectors, vectors_as_sql
from raw_world import World


def answers(world: World) -> dict[int, str | None]:
    world.dbt("seed", "--select", "country_names", "disposable_domains", "role_mailboxes")
    compiled = world.dbt("compile", "--inline", vectors_as_sql())
    return dict(world.query(compiled[0].node.compiled_code))


def wrong(world: World) -> list[tuple[str, str | None, str | None, str | None]]:
    """(call, what was said, what was expected, what came out)"""
    came_out = answers(world)
    return [(*vector, came_out[n]) for n, vector in enumerate(golden_vectors()) if came_out[n] != vector.expected]


def test_macros_answer_their_golden_vectors_on_duckdb(world):
    assert wrong(world) == []


@pytest.mark.postgres
def test_macros_answer_their_golden_vectors_on_postgres(postgres_world):
    postgres_world.execute([("create extension if not exists fuzzystrmatch", ())])  # as `match_scores` does
    assert wrong(postgres_world) == []


def test_a_frozen_clock_is_read_as_utc(world, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-01-01T12:00:00+02:00")
    compiled = world.dbt("compile", "--inline", "select cast({{ cdp_now() }} as text)")
    assert world.query(compiled[0].node.compiled_code) == [("2026-01-01 10:00:00",)]


def test_a_pattern_that_engines_read_differently_is_refused(world, capsys):
    with pytest.raises(DbtBaseException):
        world.dbt("compile", "--inline", r"select {{ cdp_regex_like('said', '\\d+') }}")
    assert "[0-9] for a digit" in capsys.readouterr().out

"""What the warehouse adds up is what Splink predicts, on every pair, also at levels that training never met."""

from __future__ import annotations

import duckdb
import pytest

from dagster_cdp.matching.model import person_model
from dagster_cdp.matching.scoring import score_pairs

pytest.importorskip("splink", reason="needs the extra `matching`")


@pytest.fixture(scope="module")
def linker(people):
    from dagster_cdp.matching.training import fit

    return fit(person_model(), people, lambda _: None)


@pytest.fixture(scope="module")
def compared(people: duckdb.DuckDBPyConnection, linker) -> list[tuple[float, float, float, float]]:
    """Weight and probability by Splink and by our SQL, for each pair that Splink predicts."""
    from dagster_cdp.matching.training import parameters_of

    predicted = linker.inference.predict(threshold_match_weight=-1000)
    people.execute(
        "create or replace table keys as select record_key_l as left_record_key, record_key_r as right_record_key,"
        f" match_weight as theirs, match_probability as their_score from {predicted.physical_name}"
    )
    score_pairs(people, person_model(), parameters_of(linker, person_model()), "keys")
    return people.execute("select theirs, match_weight, their_score, score from scored").fetchall()


def test_match_weights_equal_splink_s(compared):
    assert len(compared) > 500
    assert max(abs(theirs - float(ours)) for theirs, ours, *_ in compared) < 1e-6


def test_probabilities_equal_splink_s_to_six_digits(compared):
    assert max(abs(theirs - float(ours)) for *_, theirs, ours in compared) <= 1e-6


def test_some_levels_were_never_met_in_training_and_say_nothing(linker):
    from dagster_cdp.matching.training import parameters_of

    unmet = [one for one in parameters_of(linker, person_model()) if one.weight == 0]
    assert unmet

"""The seed of weights: one model is replaced, the other stays, and what is read is what was written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dagster_cdp.matching.model import MODELS
from dagster_cdp.matching.parameters import COLUMNS, FILE, PRIOR, Parameter, read_parameters, rows_of, write_parameters


@pytest.fixture
def seed(tmp_path):
    file = tmp_path / "match_parameters.csv"
    file.write_text(",".join(COLUMNS) + "\n")
    return file


def test_training_one_model_leaves_the_other(seed):
    write_parameters("person", [Parameter("first_name", 1, "same", 0.9, 0.1)], seed)
    write_parameters("device", [Parameter("screen_size", 1, "same", 0.8, 0.2)], seed)
    write_parameters("person", [Parameter("first_name", 1, "same", 0.5, 0.25)], seed)
    assert read_parameters("person", seed) == [Parameter("first_name", 1, "same", 0.5, 0.25)]
    assert [one.comparison for one in read_parameters("device", seed)] == ["screen_size"]


def test_a_weight_is_how_much_more_often_people_than_strangers_are_so():
    assert Parameter("birth_on", 1, "same", 0.8, 0.1).weight == pytest.approx(3.0)
    assert rows_of("person", [Parameter("birth_on", 1, "same", 0.8, 0.1)])[0][-1] == "3.000000000"


@pytest.mark.parametrize("name", MODELS)
def test_the_project_s_weights_are_of_the_project_s_comparisons(name):
    """Who changes a comparison trains again."""
    trained = {(one.comparison, one.level, one.label) for one in read_parameters(name)}
    declared = {(one.name, level, label) for one in MODELS[name]().comparisons for level, label in one.labels.items()}
    assert trained - {(PRIOR, 0, "two records taken at random")} == declared


def test_the_seed_s_weights_follow_from_its_probabilities():
    for model in MODELS:
        for one in read_parameters(model):
            assert -30 < one.weight < 30, one
    written = {line.split(",")[-1] for line in FILE.read_text().splitlines()[1:]}
    assert all(Decimal(weight) == Decimal(weight).quantize(Decimal("1e-9")) for weight in written)

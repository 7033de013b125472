"""The report shows what the weights do, to anyone, without showing anyone."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

import pytest

from dagster_cdp.matching.model import person_model
from dagster_cdp.matching.parameters import PRIOR, Parameter
from dagster_cdp.matching.report import Thresholds, masked, report

THRESHOLDS = Thresholds(Decimal("0.99"), Decimal("0.90"))


def even_weights() -> list[Parameter]:
    """As if trained: best levels speak for one person, the lowest against."""
    levels = [
        Parameter(one.name, level, label, 0.9 if level else 0.1, 0.01 if level else 0.9)
        for one in person_model().comparisons
        for level, label in one.labels.items()
    ]
    return [Parameter(PRIOR, 0, "two records taken at random", 0.001, 0.999), *levels]


@pytest.fixture(scope="module")
def page(people) -> str:
    return report(people, person_model(), even_weights(), THRESHOLDS, datetime(2026, 1, 2, 3, 4))  # noqa: DTZ001


def test_it_shows_thresholds_histogram_weights_and_examples_of_each_band(page):
    for heading in ("Thresholds", "Match weights of all pairs", "What each likeness is worth", "Examples"):
        assert f"<h2>{heading}</h2>" in page
    assert {"auto", "review", "dropped"} == set(re.findall(r"<h3 class='(\w+)'>", page))


def test_it_needs_no_network(page):
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)


def test_nobody_s_values_can_be_read(page, people):
    told = people.execute(
        "select first_name, last_name, email, phone, address_line, cast(birth_on as text) from records"
    ).fetchall()
    words = {value for row in told for value in row if value and len(value) > 3}
    shown = set(re.findall(r"<td>([^<]*)</td>", page))
    assert not words & shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("martha", "m•••••"), ("1976-12-06", "1•••-••-••"), ("a@example.com", "a@•••••••.•••"), (None, "unknown")],
)
def test_a_masked_value_keeps_its_first_letter_and_its_length(value, shown):
    assert masked(value) == shown


def test_a_pair_at_the_threshold_is_linked():
    assert [THRESHOLDS.band(Decimal(score)) for score in ("0.99", "0.989999", "0.9", "0.899999")] == [
        "auto", "review", "review", "dropped",
    ]  # fmt: skip

"""Moments and amounts as warehouses write them."""

from datetime import UTC, datetime

import pytest

from reverse_etl.ads.events import moment_of, number_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20 12:00:00",
        "2026-11-20T14:00:00+02:00",
        NOON.timestamp(),
        int(NOON.timestamp()),
    ],
)
def test_a_moment_is_utc_unless_it_says_otherwise(written):
    assert moment_of(written) == NOON


@pytest.mark.parametrize("written", [None, "", "yesterday", True, 1e20, float("nan")])
def test_what_is_no_moment_is_none(written):
    assert moment_of(written) is None


@pytest.mark.parametrize(("written", "amount"), [(12, 12.0), ("12.50", 12.5), (0, 0.0), (-1.5, -1.5)])
def test_amounts_are_numbers(written, amount):
    assert number_of(written) == amount


@pytest.mark.parametrize("written", [None, "", "n/a", float("nan"), "inf"])
def test_what_is_no_amount_is_left_out(written):
    assert number_of(written) is None

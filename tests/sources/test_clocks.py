"""When something happened by our clock, in one form whatever the client wrote."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.clocks import ON_THE_WAY, corrected

RECEIVED = "2026-01-02T10:00:00.000Z"
moments = st.datetimes(datetime(1971, 1, 1), datetime(2025, 12, 31)).map(  # noqa: DTZ001 - given a zone below
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
)


@given(moments)
def test_every_way_to_write_a_moment_gives_the_same_text(moment: datetime) -> None:
    ours = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    elsewhere = moment.astimezone().isoformat()
    assert {corrected(said, None, RECEIVED) for said in (ours, f" {ours}", elsewhere, moment.isoformat())} == {ours}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-W01-1T10:00:00.000Z", "2025-12-29T10:00:00.000Z"),
        ("2026-01-01 10:00:00.000Z", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01T10:00:00,000Z", "2026-01-01T10:00:00.000Z"),
        ("2026-13-01T10:00:00.000Z", "2026-13-01T10:00:00.000Z"),  # no moment: staging says so
        ("2026-01-03T10:00:00.000Z", RECEIVED),  # never later than we got it
    ],
)
def test_text_as_long_as_ours_is_read_all_the_same(said: str, read: str) -> None:
    assert corrected(said, None, RECEIVED) == read


@given(moments, st.timedeltas(timedelta(days=-900), timedelta(days=900)))
def test_a_clock_that_is_wrong_is_set_right_by_when_it_sent(moment: datetime, wrong: timedelta) -> None:
    received = datetime.fromisoformat(RECEIVED)
    sent = received - wrong
    happened = datetime.fromisoformat(corrected(moment.isoformat(), sent.isoformat(), RECEIVED))
    right = moment if abs(wrong) <= ON_THE_WAY else moment + wrong
    assert abs(happened - min(right, received)) < timedelta(milliseconds=1)

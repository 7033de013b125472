"""Quiet hours by the clock on the wall, also in the nights in which it jumps."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from reverse_etl.triggers.parts import QuietHours
from reverse_etl.triggers.quiet import quiet_until, zones_sql

NIGHT = QuietHours.model_validate({"from": "21:00", "until": "08:00", "time_zone": "Europe/Berlin"})
NAP = QuietHours.model_validate({"from": "13:00", "until": "15:00", "time_zone": "Europe/Berlin"})


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        (NIGHT, "Europe/Berlin", "2026-11-26 19:59:59", None),
        (NIGHT, "Europe/Berlin", "2026-11-26 20:00", "2026-11-27 07:00"),
        (NIGHT, "Europe/Berlin", "2026-11-27 03:00", "2026-11-27 07:00"),
        (NIGHT, "Europe/Berlin", "2026-11-27 07:00", None),
        (NIGHT, "Asia/Kolkata", "2026-11-26 15:30", "2026-11-27 02:30"),
        (NAP, "Europe/Berlin", "2026-11-26 12:30", "2026-11-26 14:00"),
        (NAP, "Europe/Berlin", "2026-11-26 14:00", None),
        # the clock goes forward at 02:00, and back at 03:00
        (NIGHT, "Europe/Berlin", "2026-03-28 22:00", "2026-03-29 06:00"),
        (NIGHT, "Europe/Berlin", "2026-10-24 22:00", "2026-10-25 07:00"),
    ],
)
def test_until_when_nobody_is_disturbed(hours, zone, now, until):
    assert quiet_until(hours, ZoneInfo(zone), at(now)) == (until and at(until))


def test_quiet_that_ends_within_the_hour_that_comes_twice_ends_with_its_second_coming():
    hours = QuietHours.model_validate({"from": "23:00", "until": "02:30", "time_zone": "Europe/Berlin"})

    assert quiet_until(hours, ZoneInfo("Europe/Berlin"), at("2026-10-24 22:30")) == at("2026-10-25 01:30")


def test_a_zone_nobody_knows_follows_the_shops_clock():
    sql = zones_sql(NIGHT, ["Europe/Berlin", "Nowhere/O'Land"], at("2026-11-26 21:00"))

    assert sql.count("2026-11-27 07:00:00") == 3  # Berlin, the unknown, and who has none
    assert "Nowhere/O''Land" in sql

"""The tables themselves."""

import pytest

from reverse_etl.normalise import PLATFORMS, fields_of

READABLE = {
    "meta": {"external_id", "mobile_ad_id"},
    "google": {"external_id", "mobile_ad_id", "zip", "country"},
    "tiktok": set(),
    "linkedin": {"aaid", "first_name", "last_name", "country", "title", "company"},
    "snap": set(),
    "x": {"external_id"},
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_finds_people_is_what_the_platform_takes(name):
    table = PLATFORMS[name]
    named = set().union(*table.enough, *table.together, *table.parts.values())
    assert named <= set(table.rules)
    assert table.enough
    assert not set(table.parts) & set(table.rules)


def test_who_gets_what_readable_is_written_down_twice():
    """A field that loses its hash must be changed here too."""
    for name, table in PLATFORMS.items():
        readable = {field for field, rule in table.rules.items() if not rule.is_hashed}
        assert readable == READABLE.get(name, set(table.rules))


def test_fields_that_are_sent_in_parts_can_be_mapped():
    assert "date_of_birth" in fields_of("meta")

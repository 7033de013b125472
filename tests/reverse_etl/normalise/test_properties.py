"""What holds of every value on every platform."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reverse_etl.normalise import PLATFORMS, Options, Unusable, identify, normalise, refuse_plaintext, sha256_hex
from reverse_etl.normalise.hashing import SHA256

FIELDS = [(name, field) for name, table in PLATFORMS.items() for field in table.rules]
HASHED = [(name, field) for name, field in FIELDS if PLATFORMS[name].rules[field].is_hashed]
US = Options(default_country="US")

WORDS = st.text("abcXYZéÜßж'-. +", min_size=1, max_size=12)
EMAILS = st.builds(
    "{}@{}".format,
    st.text("abcXYZ019.+-_éÜ", min_size=1, max_size=12),
    st.sampled_from(["gmail.com", "GoogleMail.com", "Example.com", "a.b.example"]),
)
PHONES = st.builds(
    "{}{}".format, st.sampled_from(["", "+1", "+44 ", "0049", "+39 0"]), st.text("0123456789 -()", max_size=14)
)
VALUES = st.one_of(
    EMAILS,
    PHONES,
    WORDS,
    st.text(max_size=20),
    st.dates().map(str),
    st.uuids().map(str),
    st.integers(),
    st.sampled_from(["California", "US", "gb", "94107-1234", "SW1A 1AA", "f", "Male", "Mrs. Dr. Ann", "Test Jr. III"]),
)


def normal(platform, field, value, options=US):
    """The normal text, or why there is none."""
    try:
        return normalise(platform, field, value, options)
    except Unusable as unusable:
        return unusable.reason


def without_plus(platform, field):
    return field == "phone" and platform in {"meta", "snap"}


@given(st.sampled_from(FIELDS), VALUES)
def test_what_is_normal_stays_so(which, value):
    platform, field = which
    try:
        once = normalise(platform, field, value, US)
    except Unusable:
        assume(False)
    again = f"+{once}" if without_plus(platform, field) else once
    assert normal(platform, field, again) == once


@given(st.sampled_from(FIELDS), VALUES, st.sampled_from(["", " ", "\t", "\u00a0", "\n "]))
def test_white_space_around_changes_nothing(which, value, space):
    platform, field = which
    assume(field != "external_id" and value != "")
    assert normal(platform, field, f"{space}{value}{space}") == normal(platform, field, value)


@given(st.sampled_from(HASHED), VALUES)
def test_case_changes_nothing_that_is_hashed(which, value):
    platform, field = which
    text = str(value)
    assume(text.upper().lower() == text.lower())  # ß has no capital
    assert normal(platform, field, text.upper()) == normal(platform, field, text.lower())


@given(st.sampled_from(HASHED), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_hash_passes_unchanged(which, value):
    platform, field = which
    assert normal(platform, field, value) == value
    assert identify(platform, {"email": "ann@example.com", field: value}).identifiers.get(field, value) == value


@given(st.sampled_from(HASHED), VALUES)
def test_no_plain_value_leaves_where_it_must_be_hashed(which, value):
    platform, field = which
    identified = identify(platform, {"email": "ann@example.com", field: value}, US)

    refuse_plaintext(platform, identified.identifiers)
    sent = identified.identifiers.get(field)
    assert sent is None or (SHA256.fullmatch(sent) and sent != sha256_hex(""))
    assert sent is None or str(value).strip().lower() not in sent or len(str(value).strip()) < 6


@given(st.sampled_from(sorted(PLATFORMS)), st.dictionaries(st.sampled_from(sorted({f for _, f in FIELDS})), VALUES))
def test_no_value_shows_in_what_may_be_logged_and_none_is_lost(platform, row):
    identified = identify(platform, row, US)

    assert set(row) >= {*identified.dropped, *identified.identifiers}
    assert all(re.fullmatch(r"[a-z_]+", reason) for reason in identified.dropped.values())
    for field, value in row.items():
        assert field in identified.dropped or field in identified.identifiers or not str(value).strip()
    assert "identifiers" not in repr(identified)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_row_is_the_same_person_twice(platform):
    row = {"email": "A.nn+x@Gmail.com", "phone": "+1 212 555 0100", "external_id": "u1"}
    once = identify(platform, row).identifiers
    assert once
    assert identify(platform, row).identifiers == once
    if not any(PLATFORMS[platform].rules[field].is_hashed is False for field in once):
        assert identify(platform, once).identifiers == once  # and what was stored as sent is sent again

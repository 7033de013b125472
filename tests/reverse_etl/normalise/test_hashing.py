"""The last check before anything leaves for a platform that gets hashes."""

import pytest

from reverse_etl.normalise import PlaintextRefused, identify, refuse_plaintext, sha256_hex

HASH = sha256_hex("ann@example.com")


def test_what_identify_made_may_leave():
    row = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Test", "zip": "10001", "country": "US"}
    for platform in ("meta", "google", "linkedin", "klaviyo"):
        identifiers = identify(platform, row | {"external_id": "u1"}).identifiers
        assert len(identifiers) >= 4
        refuse_plaintext(platform, identifiers)


@pytest.mark.parametrize(
    "value",
    ["ann@example.com", "", None, 12125550100, HASH.upper(), f"{HASH}\n", f" {HASH}", HASH[:-1], HASH + "0", True],
)
def test_what_is_not_64_hex_digits_may_not(value):
    with pytest.raises(PlaintextRefused, match=r"^email must be a SHA-256 in lower-case hex for meta: not sent$"):
        refuse_plaintext("meta", {"phone": HASH, "email": value})


def test_the_error_never_quotes_the_value():
    with pytest.raises(PlaintextRefused) as raised:
        refuse_plaintext("tiktok", {"email": "ann@example.com"})

    assert "ann" not in str(raised.value)


def test_a_readable_field_may_not_smuggle_an_address():
    with pytest.raises(PlaintextRefused, match="external_id holds an e-mail address"):
        refuse_plaintext("meta", {"external_id": "ann@example.com"})


def test_nor_may_a_field_the_platform_doesnt_take():
    with pytest.raises(PlaintextRefused, match="linkedin takes no phone"):
        refuse_plaintext("linkedin", {"email": HASH, "phone": HASH})


def test_a_tool_that_writes_to_people_is_sent_addresses():
    refuse_plaintext("klaviyo", {"email": "ann@example.com", "external_id": "ann@example.com"})

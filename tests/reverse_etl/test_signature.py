"""Signatures of Standard Webhooks: the published shape, and everything that must not be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.signature import flaw, signed

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
BODY = b'{"type":"audience.member.added","data":{"user_id":"u1"}}'
AT = 1_700_000_000
HEADERS = signed(SECRET, "msg_01", AT, BODY)


def test_the_vector():
    assert HEADERS == {
        "webhook-id": "msg_01",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,18R+ukFVDQrWGlbPlDFYfDm1BkA5/SE8h0j5ZQVzYtk=",
    }


def test_what_was_signed_is_believed_for_five_minutes():
    assert flaw(SECRET, HEADERS, BODY, AT + 300) == flaw(SECRET, HEADERS, BODY, AT - 300) == ""
    assert flaw(SECRET, HEADERS, BODY, AT + 301) == flaw(SECRET, HEADERS, BODY, AT - 301) == "stale"


@pytest.mark.parametrize("missing", HEADERS)
def test_a_message_without_all_three_headers_is_unsigned(missing):
    headers = {name: value for name, value in HEADERS.items() if name != missing}

    assert flaw(SECRET, headers, BODY, AT) == "unsigned"


@pytest.mark.parametrize("moment", ["", "soon", "-1", "1e9", "٣"])
def test_a_moment_that_is_no_number_is_unsigned(moment):
    assert flaw(SECRET, HEADERS | {"webhook-timestamp": moment}, BODY, AT) == "unsigned"


def test_another_id_moment_body_or_secret_is_a_wrong_signature():
    wrong = "wrong_signature"

    assert flaw(SECRET, HEADERS | {"webhook-id": "msg_02"}, BODY, AT) == wrong
    assert flaw(SECRET, HEADERS | {"webhook-timestamp": str(AT + 1)}, BODY, AT) == wrong
    assert flaw(SECRET, HEADERS, BODY + b" ", AT) == wrong
    assert flaw("another-synthetic-secret", HEADERS, BODY, AT) == wrong
    assert flaw(SECRET, HEADERS | {"webhook-signature": "v1,é v2,x"}, BODY, AT) == wrong


@given(
    old=st.sampled_from(["the-first-of-three-secrets", "the-second-of-three-secrets"]),
    new=st.sampled_from(["the-second-of-three-secrets", "the-third-of-three-secrets"]),
)
def test_a_secret_can_change_on_one_side_after_the_other(old, new):
    headers = signed(f"{new} {old}", "msg_01", AT, BODY)

    assert flaw(old, headers, BODY, AT) == flaw(new, headers, BODY, AT) == ""


def test_what_follows_whsec_must_be_base64():
    with pytest.raises(ValueError, match="base64"):
        signed("whsec_%%%", "msg_01", AT, BODY)


@pytest.mark.parametrize("secret", ["short", "whsec_c2hvcnQ=", "words that are several short secrets"])
def test_a_secret_is_long(secret):
    with pytest.raises(ValueError, match="16 bytes"):
        signed(secret, "msg_01", AT, BODY)

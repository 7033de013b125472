import pytest

from reverse_etl.normalise import Unusable, identify, normalise, sha256_hex

PHONE_ID = "AB12CD34-0000-4000-8000-0123456789AB"


def test_your_own_id_leaves_byte_for_byte():
    for text in (" U-1 ", "u1", "Ü\u0308", "007"):
        assert normalise("meta", "external_id", text) == text


@pytest.mark.parametrize("platform", ["meta", "google", "x"])
def test_an_address_is_no_opaque_id_where_addresses_are_hashed(platform):
    with pytest.raises(Unusable, match="personal_value"):
        normalise(platform, "external_id", "crm:ann@example.com")


def test_where_addresses_are_readable_it_may_be_one():
    assert normalise("braze", "external_id", "ann@example.com") == "ann@example.com"


@pytest.mark.parametrize(("platform", "limit"), [("klaviyo", 255), ("braze", 987), ("customerio", 150)])
def test_a_long_id_is_left_out_not_cut(platform, limit):
    assert len(normalise(platform, "external_id", "x" * limit)) == limit
    with pytest.raises(Unusable, match="too_long"):
        normalise(platform, "external_id", "x" * (limit + 1))


def test_customer_io_counts_bytes_and_klaviyo_letters():
    assert normalise("klaviyo", "external_id", "é" * 255)
    with pytest.raises(Unusable, match="too_long"):
        normalise("customerio", "external_id", "é" * 76)


def test_the_phones_id_is_readable_for_some_and_hashed_for_others():
    sent = {
        ("meta", "mobile_ad_id"): PHONE_ID.lower(),
        ("google", "mobile_ad_id"): PHONE_ID,
        ("linkedin", "aaid"): PHONE_ID,
        ("tiktok", "idfa"): sha256_hex(PHONE_ID.lower()),
        ("tiktok", "aaid"): sha256_hex(PHONE_ID.lower()),
        ("snap", "mobile_ad_id"): sha256_hex(PHONE_ID.lower()),
        ("x", "mobile_ad_id"): sha256_hex(PHONE_ID.lower()),
    }
    for (platform, field), value in sent.items():
        assert identify(platform, {field: f" {PHONE_ID} "}).identifiers == {field: value}


def test_everybody_who_opted_out_shares_the_id_of_zeros():
    with pytest.raises(Unusable, match="placeholder"):
        normalise("meta", "mobile_ad_id", "00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("text", ["u1", PHONE_ID[:-1], PHONE_ID.replace("-", ""), f"{{{PHONE_ID}}}"])
def test_what_isnt_an_advertising_id_is_left_out(text):
    with pytest.raises(Unusable, match="malformed"):
        normalise("google", "mobile_ad_id", text)

import pytest

from reverse_etl.normalise import Options, Reason, Unusable, identify, normalise


def phone(text, country="", platform="google"):
    return normalise(platform, "phone", text, Options(default_country=country))


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+1 (212) 555-0100", "", "+12125550100"),
        ("  +44 (0)20 7946 0958 ", "", "+442079460958"),
        ("0044 20 7946 0958", "", "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("0044 20 7946 0958", "JP", "+442079460958"),  # by its length alone it could be Japanese
        ("0011 65 6521 8000", "AU", "+6565218000"),  # Australia dials 0011, not 00
        ("(212) 555-0100", "US", "+12125550100"),
        ("212.555.0100 ext. 12", "US", "+12125550100"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+1 212 555 0100", "GB", "+12125550100"),
        ("+39 06 1234 5678", "", "+390612345678"),  # Italy keeps its zero
        ("＋１ ２１２ ５５５ ０１００", "", "+12125550100"),
    ],
)
def test_a_number_is_written_one_way(text, country, number):
    assert phone(text, country) == number


@pytest.mark.parametrize("text", ["212 555 0100", "12125550100", "020 7946 0958"])
def test_a_country_code_is_never_guessed(text):
    identified = identify("meta", {"email": "ann@example.com", "phone": text})

    assert identified.dropped == {"phone": Reason.PHONE_COUNTRY_UNKNOWN}


NO_NUMBERS = ["+0000000000", "+1 212", "+999 1234567", "ask for Ann", "+", "00", "+1" * 9]


@pytest.mark.parametrize(
    ("text", "country"),
    [*((text, "") for text in NO_NUMBERS), *((text, "US") for text in [*NO_NUMBERS, "1" * 40, "911"])],
)
def test_what_cant_be_a_number_is_nobodys(text, country):
    with pytest.raises(Unusable, match=r"^malformed$"):
        phone(text, country)


def test_meta_and_snap_want_no_plus_the_others_do():
    written = {p: phone("+1 212 555 0100", platform=p) for p in ("meta", "snap", "google", "tiktok", "x", "twilio")}

    assert written == {
        "meta": "12125550100",
        "snap": "12125550100",
        "google": "+12125550100",
        "tiktok": "+12125550100",
        "x": "+12125550100",
        "twilio": "+12125550100",
    }


def test_the_rows_country_is_no_guess_at_its_phones():
    """People move and keep their number; only the mapping's word counts."""
    row = {"email": "ann@example.com", "phone": "212 555 0100", "country": "US"}

    assert identify("meta", row).dropped == {"phone": Reason.PHONE_COUNTRY_UNKNOWN}


def test_a_number_without_its_plus_is_not_read_back():
    """Hence hashes are stored, not normalised numbers: read as a German one it would be somebody else's."""
    written = phone("+1 555 987 6543", platform="meta")

    assert phone(f"+{written}", "DE", platform="meta") == written
    assert phone(written, "US", platform="meta") == written
    with pytest.raises(Unusable, match="phone_country_unknown"):
        phone(written, platform="meta")

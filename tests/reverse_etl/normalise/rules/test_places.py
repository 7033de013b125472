import pytest

from reverse_etl.normalise import Options, Reason, Unusable, identify, normalise
from reverse_etl.normalise.rules.places import COUNTRIES
from reverse_etl.normalise.rules.states import CODES, STATES


def test_every_country_has_its_code():
    assert len(COUNTRIES - {"XK"}) == 249  # ISO 3166-1, and Kosovo in the range left to users


def test_every_state_has_its_code():
    assert len(CODES) == 50 + 1 + 5
    assert set(STATES.values()) == CODES


@pytest.mark.parametrize(("platform", "code"), [("meta", "gb"), ("google", "GB"), ("linkedin", "GB")])
def test_countries_are_upper_case_for_some_and_lower_for_meta(platform, code):
    assert normalise(platform, "country", " gB ") == code


@pytest.mark.parametrize("text", ["USA", "UK", "XX", "United States", "1", "DEU"])
@pytest.mark.parametrize("platform", ["meta", "google"])
def test_what_isnt_alpha_2_is_not_guessed(platform, text):
    with pytest.raises(Unusable, match="unknown_value"):
        normalise(platform, "country", text)


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("94107", "US", "94107"),
        ("94107-1234", "US", "94107"),
        ("941071234", "US", "94107"),
        ("94107 1234", None, "94107"),
        ("SW1A 1AA", "GB", "sw1a1"),
        ("m1 1ae", None, "m11"),
        ("sw1a1", "GB", "sw1a1"),
        ("K1A 0B1", "CA", "k1a0b1"),
        ("00-950", "PL", "00-950"),
        ("1234 AB", "NL", "1234ab"),
        ("94107-1234", "BR", "94107-1234"),  # nobody else's code is cut as if it were American
        ("M1 1AE", "IE", "m11ae"),
    ],
)
def test_meta_wants_the_part_of_a_postal_code_that_it_matches(text, country, code):
    assert normalise("meta", "zip", text, country=country) == code


@pytest.mark.parametrize(
    ("text", "country"),
    [("2134", "US"), ("SW1A", "GB"), ("9410a", "US"), ("٩٤١٠٧", "US"), ("??", None), ("1" * 11, None)],
)
def test_half_a_postal_code_is_none(text, country):
    with pytest.raises(Unusable, match="malformed"):
        normalise("meta", "zip", text, country=country)


def test_a_zip_that_was_a_number_may_have_lost_its_zero():
    assert identify("meta", {"email": "ann@example.com", "zip": 2134, "country": "US"}).dropped == {
        "zip": Reason.MALFORMED
    }


@pytest.mark.parametrize(("text", "code"), [(" 94107-1234 ", "94107-1234"), ("SW1A  1AA", "SW1A 1AA")])
def test_google_gets_it_readable(text, code):
    assert normalise("google", "zip", text) == code


@pytest.mark.parametrize(("text", "country"), [("x", None), ("unknown!", None), ("2134", "US"), ("1" * 12, None)])
def test_but_not_one_that_would_fail_the_whole_request(text, country):
    with pytest.raises(Unusable, match="malformed"):
        normalise("google", "zip", text, country=country)


@pytest.mark.parametrize(
    ("text", "country", "state"),
    [
        ("California", None, "ca"),
        (" new  york", "US", "ny"),
        ("N.Y.", "US", "ny"),
        ("Washington, D.C.", "US", "dc"),
        ("Georgia", "GE", "georgia"),
        ("Île-de-France", "FR", "îledefrance"),
        ("Bayern", None, "bayern"),
    ],
)
def test_states_have_codes_in_the_us_only(text, country, state):
    assert normalise("meta", "state", text, country=country) == state


def test_a_state_the_us_doesnt_have_is_left_out():
    with pytest.raises(Unusable, match="unknown_value"):
        normalise("meta", "state", "Bavaria", country="US")


def test_the_mappings_country_stands_in_for_the_rows():
    options = Options(default_country="US")

    with pytest.raises(Unusable, match="unknown_value"):
        normalise("meta", "state", "Bavaria", options)
    assert normalise("meta", "state", "Bavaria", options, country="DE") == "bavaria"


@pytest.mark.parametrize(
    ("text", "city"),
    [("St. Louis", "stlouis"), ("Saint-Denis", "saintdenis"), ("München", "munchen"), ("Paris 15e", "parise")],
)
def test_a_city_is_written_a_to_z(text, city):
    assert normalise("meta", "city", text) == city


@pytest.mark.parametrize("text", ["Łódź", "Москва", "Straßburg"])
def test_a_city_that_cant_be_is_left_out_whole(text):
    with pytest.raises(Unusable, match="not_latin"):
        normalise("meta", "city", text)

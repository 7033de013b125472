import pytest

from reverse_etl.normalise import Unusable, normalise


@pytest.mark.parametrize(
    "text", ["1990-02-01", "19900201", "1990-02-01T00:00:00Z", "1990-02-01 12:00:00", " 1990-02-01 "]
)
def test_a_birthday_is_taken_apart(text):
    parts = [normalise("meta", field, text) for field in ("birth_year", "birth_month", "birth_day")]
    assert parts == ["1990", "02", "01"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("birth_year", "90"),
        ("birth_year", "1899-12-31"),
        ("birth_month", "13"),
        ("birth_month", "February"),
        ("birth_day", "0"),
        ("birth_day", "1990-02-30"),
        ("birth_day", "01/02/1990"),
        ("birth_day", -1),
    ],
)
def test_what_is_no_day_of_birth_is_left_out(field, given):
    with pytest.raises(Unusable, match="malformed"):
        normalise("meta", field, given)


@pytest.mark.parametrize(("text", "letter"), [("F", "f"), (" Female", "f"), ("m", "m"), ("MALE", "m")])
def test_a_gender_is_a_letter(text, letter):
    assert normalise("meta", "gender", text) == letter


@pytest.mark.parametrize("text", ["unknown", "x", "other", "0"])
def test_or_left_out(text):
    with pytest.raises(Unusable, match="unknown_value"):
        normalise("meta", "gender", text)

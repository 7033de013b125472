import pytest

from reverse_etl.normalise import Unusable, normalise


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Ann ", "ann"),
        ("O'Test", "otest"),
        ("O’Test", "otest"),
        ("O`Test", "otest"),
        ("Anne - Marie", "anne marie"),
        ("Ann\u00a0 Marie", "ann marie"),
        ("Test (née Probe)", "test née probe"),
        ("Ødegård", "ødegård"),
        ("Тест", "тест"),
        ("テスト", "テスト"),
        ("Test 2", "test 2"),
    ],
)
def test_meta_and_google_want_lower_case_without_punctuation(text, name):
    assert normalise("meta", "last_name", text) == name
    assert normalise("google", "last_name", text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mrs. Ann", "ann"),
        ("Prof. Dr. Ann", "ann"),
        ("Test, Jr.", "test"),
        ("Test III", "test"),
        ("Test Ph.D.", "test"),
        ("Md Ann", "md ann"),
        ("Drew", "drew"),
    ],
)
def test_google_wants_no_titles(text, name):
    assert normalise("google", "first_name", text) == name


def test_meta_says_nothing_of_titles():
    assert normalise("meta", "first_name", "Mrs. Ann") == "mrs ann"


@pytest.mark.parametrize("text", ["Sir", "Jr."])
def test_a_title_alone_may_be_the_name(text):
    assert normalise("google", "first_name", text) == text.lower().strip(".")


@pytest.mark.parametrize("text", ["-", "'", " . ", "\x00"])
def test_punctuation_alone_is_no_name(text):
    with pytest.raises(Unusable, match="empty"):
        normalise("meta", "first_name", text)


@pytest.mark.parametrize(("text", "letter"), [("ann", "a"), ("'Ann", "a"), ("E\u0301ve", "é"), ("ß", "ß")])
def test_an_initial_is_one_letter(text, letter):
    assert normalise("meta", "first_initial", text) == letter


def test_who_shows_the_name_gets_it_as_written():
    assert normalise("klaviyo", "last_name", "  O'Test   Jr. ") == "O'Test Jr."


def test_linkedin_takes_35_letters_and_a_longer_name_isnt_cut():
    assert normalise("linkedin", "last_name", "é" * 35) == "é" * 35
    with pytest.raises(Unusable, match="too_long"):
        normalise("linkedin", "last_name", "a" * 36)

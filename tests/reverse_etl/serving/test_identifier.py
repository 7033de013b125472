"""An identifier in all its spellings is one digest."""

import hashlib

import pytest

from reverse_etl.serving.identifier import TYPES, Unreadable, digest_of, read

ANN = "ann@example.com"


@pytest.mark.parametrize(
    "spelling",
    [ANN, "Ann@Example.COM", " ann@example.com ", "email:ann@example.com", "mailto:ann@example.com",
     "Ann <ann@example.com>",
     hashlib.sha256(ANN.encode()).hexdigest(), "sha256:" + hashlib.sha256(ANN.encode()).hexdigest().upper(),
     "email_sha256:" + hashlib.sha256(ANN.encode()).hexdigest()],
)  # fmt: skip
def test_an_address_and_its_hash_are_one(spelling):
    asked = read(spelling)

    assert asked.digest == digest_of(ANN)
    assert "email" in asked.types


@pytest.mark.parametrize("spelling", ["+1 (202) 555-0101", "phone:+12025550101", "phone:0012025550101"])
def test_a_number_in_its_spellings(spelling):
    assert read(spelling).digest == digest_of("+12025550101")


@pytest.mark.parametrize(
    ("text", "types"),
    [("p_0123456789abcdef0123", ("profile_id",)), ("user_id:42", ("user_id",)), ("anonymous_id:a:b", ("anonymous_id",)),
     ("sha256:" + "0" * 64, TYPES)],
)  # fmt: skip
def test_what_it_may_be(text, types):
    assert read(text).types == types


def test_a_value_of_no_shape_may_be_several_things_the_login_first():
    assert read("42").types[0] == "user_id"
    assert read("https://a:b").types[0] == "user_id"


@pytest.mark.parametrize("text", ["", " ", "x" * 321, "email:nobody", "phone:12", "sha256:12", "a@b", "+1", "email:"])
def test_what_is_none(text):
    with pytest.raises(Unreadable) as error:
        read(text)
    assert text.strip() == "" or text not in str(error.value)

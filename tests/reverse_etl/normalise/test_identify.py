"""What a row becomes: which fields leave, which don't and why, and when nobody is left."""

import pytest

from reverse_etl.normalise import Options, Reason, Unusable, identify, normalise, sha256_hex
from reverse_etl.normalise.hashing import HASH_OF_NOTHING
from reverse_etl.sync import BadDeclaration

ANN = "ann@example.com"
HASH = sha256_hex(ANN)


def test_a_bad_field_is_left_out_and_the_row_stays():
    identified = identify("meta", {"email": ANN, "phone": "+0000000000", "gender": "unknown"})

    assert identified.identifiers == {"email": HASH}
    assert identified.dropped == {"phone": Reason.MALFORMED, "gender": Reason.UNKNOWN_VALUE}


def test_blank_fields_are_neither_hashed_nor_news():
    identified = identify("meta", {"email": ANN, "phone": None, "city": "", "zip": "  ", "state": float("nan")})

    assert identified.identifiers == {"email": HASH}
    assert identified.dropped == {}


def test_what_normalises_to_nothing_is_not_hashed():
    identified = identify("meta", {"email": ANN, "first_name": "---"})

    assert identified.dropped == {"first_name": Reason.EMPTY}
    assert HASH_OF_NOTHING not in identified.identifiers.values()


def test_nobody_is_found_by_a_gender_and_a_country():
    identified = identify("meta", {"gender": "f", "country": "US", "email": "no address"})

    assert identified.identifiers == {}
    assert identified.dropped == {
        "email": Reason.MALFORMED,
        "gender": Reason.NOT_ENOUGH,
        "country": Reason.NOT_ENOUGH,
    }


def test_an_empty_row_finds_nobody():
    assert identify("klaviyo", {"email": None}).identifiers == {}


def test_what_a_platform_has_no_field_for_stays_here():
    identified = identify("linkedin", {"email": ANN, "phone": "+12125550100", "lifetime_value": 12})

    assert identified.identifiers == {"email": HASH}
    assert identified.dropped == {"phone": Reason.NOT_TAKEN, "lifetime_value": Reason.NOT_TAKEN}


def test_a_birthday_leaves_as_three_hashes():
    identified = identify("meta", {"email": ANN, "date_of_birth": "1990-02-01"})

    parts = {name: value for name, value in identified.identifiers.items() if name != "email"}
    assert parts == {
        "birth_year": sha256_hex("1990"),
        "birth_month": sha256_hex("02"),
        "birth_day": sha256_hex("01"),
    }


@pytest.mark.parametrize(
    ("given", "reason"), [("01/02/1990", "malformed"), (sha256_hex("1990-02-01"), "already_hashed")]
)
def test_a_birthday_that_has_no_parts_is_left_out(given, reason):
    assert identify("meta", {"email": ANN, "date_of_birth": given}).dropped == {"date_of_birth": reason}


WHOLE_ADDRESS = {"first_name": "Ann", "last_name": "Test", "zip": " 94107 ", "country": "us"}


class TestGoogleAddress:
    def test_it_is_half_hashed_half_readable(self):
        assert identify("google", WHOLE_ADDRESS).identifiers == {
            "first_name": sha256_hex("ann"),
            "last_name": sha256_hex("test"),
            "zip": "94107",
            "country": "US",
        }

    @pytest.mark.parametrize("missing", WHOLE_ADDRESS)
    def test_without_one_part_the_others_stay_here(self, missing):
        row = {"email": ANN, **WHOLE_ADDRESS, missing: None}

        identified = identify("google", row)

        assert identified.identifiers == {"email": HASH}
        assert set(identified.dropped.values()) == {Reason.INCOMPLETE}
        assert set(identified.dropped) == set(WHOLE_ADDRESS) - {missing}

    def test_and_alone_it_finds_nobody_then(self):
        assert identify("google", {**WHOLE_ADDRESS, "country": "USA"}).identifiers == {}


def test_linkedin_finds_people_by_both_names_only():
    assert identify("linkedin", {"first_name": "Ann"}).identifiers == {}
    assert identify("linkedin", {"first_name": "Ann", "last_name": " Test "}).identifiers == {
        "first_name": "Ann",
        "last_name": "Test",
    }


class TestGivenHashes:
    """The mapping's `hashed`: auto, yes or no."""

    def test_a_hash_is_recognised_and_never_hashed_again(self):
        assert identify("meta", {"email": HASH}).identifiers == {"email": HASH}

    def test_its_case_and_the_spaces_around_it_dont_matter(self):
        assert identify("meta", {"email": f" {HASH.upper()} "}).identifiers == {"email": HASH}

    def test_it_passes_where_the_rule_would_have_refused_the_text(self):
        assert normalise("meta", "country", HASH) == HASH

    def test_yes_refuses_what_is_plain(self):
        options = Options(hashed={"email": "yes"})

        assert identify("meta", {"email": HASH}, options).identifiers == {"email": HASH}
        assert identify("meta", {"email": ANN}, options).dropped == {"email": Reason.NOT_A_HASH}

    def test_no_refuses_what_is_hashed(self):
        options = Options(hashed={"email": "no"})

        assert identify("meta", {"email": ANN}, options).identifiers == {"email": HASH}
        assert identify("meta", {"email": HASH}, options).dropped == {"email": Reason.ALREADY_HASHED}

    def test_other_fields_are_not_meant(self):
        options = Options(hashed={"email": "yes"})

        assert identify("meta", {"phone": "+12125550100"}, options).identifiers == {"phone": sha256_hex("12125550100")}

    def test_the_hash_of_an_empty_text_is_nobody(self):
        assert identify("meta", {"email": HASH_OF_NOTHING}).dropped == {"email": Reason.HASH_OF_NOTHING}

    @pytest.mark.parametrize("md5", ["0" * 32, "0" * 63, "g" * 64])
    def test_what_only_resembles_one_is_taken_for_plain(self, md5):
        assert identify("meta", {"email": md5}).dropped == {"email": Reason.MALFORMED}

    @pytest.mark.parametrize("field", ["email", "phone", "first_name"])
    def test_a_tool_that_writes_to_people_gets_no_hash(self, field):
        identified = identify("klaviyo", {"external_id": "u1", field: HASH})

        assert identified.dropped == {field: Reason.HASH_NOT_TAKEN}

    def test_nor_does_a_field_that_is_never_hashed(self):
        assert identify("google", {"email": ANN, "zip": HASH}).dropped == {"zip": Reason.HASH_NOT_TAKEN}

    def test_but_your_own_ids_may_look_as_they_like(self):
        assert identify("meta", {"external_id": HASH.upper()}).identifiers == {"external_id": HASH.upper()}


def test_zero_is_an_id_and_false_is_none():
    assert identify("braze", {"external_id": 0}).identifiers == {"external_id": "0"}
    assert identify("braze", {"external_id": False}).dropped == {"external_id": Reason.MALFORMED}


def test_a_column_of_integers_with_gaps_is_still_one_of_integers():
    assert normalise("google", "zip", 94107.0) == "94107"
    with pytest.raises(Unusable, match="malformed"):
        normalise("google", "zip", 94107.5)


def test_half_a_letter_is_left_out_instead_of_breaking_the_batch():
    assert identify("meta", {"email": ANN, "first_name": "Ann\ud83d"}).dropped == {"first_name": Reason.MALFORMED}


def test_nothing_of_a_person_shows_in_a_log():
    identified = identify("klaviyo", {"email": ANN, "phone": "call ann"})

    assert "ann" not in repr(identified)
    assert "malformed" in repr(identified)


def test_an_error_carries_the_reason_only():
    with pytest.raises(Unusable) as raised:
        normalise("meta", "phone", "call ann")

    assert str(raised.value) == "malformed"
    assert raised.value.__cause__ is None


def test_one_field_alone_must_have_a_value():
    with pytest.raises(Unusable, match="empty"):
        normalise("meta", "email", "  ")


def test_an_unknown_platform_or_field_is_a_mistake_of_the_mapping():
    with pytest.raises(BadDeclaration, match="no rules for platform 'myspace': there are meta, google"):
        identify("myspace", {})
    with pytest.raises(BadDeclaration, match="twilio takes no 'email': it takes phone"):
        normalise("twilio", "email", ANN)

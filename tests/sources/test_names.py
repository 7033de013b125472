import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sources.names import LONGEST, incoming_names, snake_case


@pytest.mark.parametrize(
    ("arrived", "kept"),
    [
        ("messageId", "message_id"),
        ("originalTimestamp", "original_timestamp"),
        ("Total Price", "total_price"),
        ("property.email", "property_email"),
        ("shipping_address_address_1", "shipping_address_address_1"),
        ("URL", "url"),
    ],
)
def test_names_become_snake_case(arrived, kept):
    assert snake_case(arrived) == kept


@given(st.text(max_size=200))
@example("\U0001e2f0")  # the digit zero of another script
def test_a_name_in_snake_case_stays_as_it_is_and_fits_every_warehouse(name):
    kept = snake_case(name)
    assert snake_case(kept) == kept
    assert kept.isascii()
    assert 0 < len(kept) <= LONGEST


def test_names_in_other_scripts_stay_apart():
    assert snake_case("日本") != snake_case("中国")


def test_two_spellings_of_one_name_share_a_column():
    assert incoming_names(["messageId", "message_id"], frozenset()) == {"message_id": ["messageId", "message_id"]}


def test_a_name_that_loading_uses_itself_is_moved_aside():
    arrived = ["_row_id", "_dlt_load_id", "phone_e164"]
    assert set(incoming_names(arrived, frozenset({"phone_e164"}))) == {
        "source_row_id",
        "source_dlt_load_id",
        "source_phone_e164",
    }

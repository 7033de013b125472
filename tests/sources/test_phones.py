import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.phones import e164, e164_column


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("(212) 555-0100", "+12125550100"),
        ("212.555.0100 ext. 12", "+12125550100"),
        ("+44 20 7946 0958", "+442079460958"),
        ("0044 20 7946 0958", None),  # dialled from Europe: nothing says which country's prefix this is
        ("12", None),
        ("ask for Ann", None),
        ("", None),
    ],
)
def test_a_number_is_written_one_way_or_not_at_all(written, number):
    assert e164(written) == number


@given(st.text(max_size=40))
def test_any_text_gives_a_number_or_nothing_and_a_number_gives_itself(written):
    number = e164(written)
    if number is not None:
        assert re.fullmatch(r"\+\d{6,15}", number)
        assert e164(number) == number


def test_a_column_keeps_its_rows_and_its_gaps():
    column = pa.array(["2125550100", None, "no", "2125550100"])
    assert e164_column(column).to_pylist() == ["+12125550100", None, None, "+12125550100"]

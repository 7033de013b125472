"""Values as text that a cast reads as they were meant, or a flaw that names the column and never the value."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.columns import TYPES, Columns, Misfit, columns_of
from reverse_etl.destination import Change, Outcome
from reverse_etl.sync import BadDeclaration, Sync

SQL = {"integer": "bigint", "number": "double", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}


def row(value, kind):
    change = Change("op", "add", "m", {"id": "1"}, {"x": value})
    return Columns({"id": "text", "x": kind}, ("id",)).values(change)[1]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", True, "true"),
        ("text", 1.5, "1.5"),
        ("text", "", ""),
        ("integer", 3.0, "3"),
        ("integer", "-7", "-7"),
        ("number", "1e3", "1e3"),
        ("boolean", "TRUE", "true"),
        ("date", "2026-01-02", "2026-01-02"),
        ("timestamp", "2026-01-02T03:04:05+01:00", "2026-01-02 02:04:05"),
        ("timestamp", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05"),
    ],
)
def test_what_fits(kind, value, text):
    assert row(value, kind) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "a\0b"),
        ("text", "x" * 1_000_001),
        ("integer", 1.5),
        ("integer", "1.0"),
        ("integer", True),
        ("integer", 2**63),
        ("integer", "9" * 20),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "1_000"),
        ("number", False),
        ("boolean", 1),
        ("boolean", "yes"),
        ("date", "2026-02-30"),
        ("date", "02/03/2026"),
        ("timestamp", "now"),
    ],
)
def test_what_does_not_fit_is_named_by_type_and_column(kind, value):
    with pytest.raises(Misfit, match=f"^no_{kind}_x$"):
        row(value, kind)


@given(value=st.text() | st.integers() | st.floats() | st.booleans(), kind=st.sampled_from(sorted(SQL)))
def test_whatever_passes_can_be_cast(value, kind):
    try:
        text = TYPES[kind](value)
    except Misfit:
        return
    assert duckdb.execute(f"select try_cast(? as {SQL[kind]}) is not null", [text]).fetchall() == [(True,)]


def test_a_row_that_does_not_fit_does_not_hold_up_the_others():
    columns = Columns({"id": "text", "x": "integer"}, ("id",))
    rows = [Change(f"op{x}", "add", "m", {"id": str(x)}, {"x": x}) for x in (1, "many", 3)]

    assert [values for _, values in columns.fitting(rows)[0]] == [["1", "1"], ["3", "3"]]
    receipts = columns.receipts(rows)
    assert [r.outcome for r in receipts] == [Outcome.DELIVERED, Outcome.REJECTED, Outcome.DELIVERED]
    assert receipts[1].code == "no_integer_x"


def test_columns_are_those_of_the_sync_with_its_key_first():
    sync = Sync(
        audience="vip",
        destination="files",
        purpose="marketing",
        channel="email",
        fields={"email": "email", "amount": {"to": "amount", "type": "number", "nulls": "skip"}},
        templates={"is_vip": True, "greeting": "Dear {email}"},
    )
    columns = columns_of(sync)

    assert columns.types == {
        "profile_id": "text",
        "email": "text",
        "amount": "number",
        "is_vip": "boolean",
        "greeting": "text",
    }
    assert (columns.keys, columns.kept) == (("profile_id",), {"amount"})
    with pytest.raises(BadDeclaration, match="amount is the destination's own"):
        columns_of(sync, reserved=["amount"])

import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.changes import Account, Change
from sources.conform import Provenance, conform, engine, observe, taken_names
from sources.reading import rows_of
from sources.source import Column, Content, Table, Type, phone, text

ENGINE = engine()
LANDED = datetime(2017, 5, 1, 8)  # noqa: DTZ001
ORIGIN = Provenance(LANDED, "'f|' || _row_number", "f")

# what a supplier may write: any text a UTF-8 file can hold
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def table(*columns: Column) -> Table:
    return Table("t", (columns[0].name,), "A table.", columns)


def conformed(tmp_path, declared, *records):
    """Records through a JSON lines file: the rows as raw would hold them, and what was noticed."""
    path = tmp_path / "f.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    rows = rows_of(path, taken_names(declared), ENGINE)
    account = Account()
    found = []
    for batch in conform(rows, declared, ORIGIN, ENGINE):
        account.add("t", "f", observe(batch, rows, declared))
        found += pa.Table.from_batches([batch]).to_pylist()
    noticed = {(change.column, change.change): change.row_count for change in account.changes()}
    return found, noticed


@pytest.mark.parametrize(
    ("kind", "said", "held"),
    [
        (Type.MONEY, "12.50", Decimal("12.50")),
        (Type.MONEY, " 7 ", Decimal("7.00")),
        (Type.MONEY, "1,234.50", None),
        (Type.MONEY, "NaN", None),
        (Type.INTEGER, "12", 12),
        (Type.INTEGER, "12.0", 12),
        (Type.INTEGER, "12.7", None),
        (Type.INTEGER, "99999999999999999999", None),
        (Type.FLAG, "true", True),
        (Type.FLAG, "0", False),
        (Type.FLAG, "perhaps", None),
        (Type.DAY, "2017-02-28", date(2017, 2, 28)),
        (Type.DAY, "2017-02-30", None),
        (Type.DAY, "infinity", None),
        (Type.MOMENT, "2017-01-03T10:00:00+02:00", datetime(2017, 1, 3, 8)),  # noqa: DTZ001
        (Type.MOMENT, "2017-01-03T10:00:00Z", datetime(2017, 1, 3, 10)),  # noqa: DTZ001
        (Type.MOMENT, "2017-01-03 10:00:00", datetime(2017, 1, 3, 10)),  # noqa: DTZ001
        (Type.MOMENT, "1483437600", datetime(2017, 1, 3, 10)),  # noqa: DTZ001
        (Type.MOMENT, "1483437600123", datetime(2017, 1, 3, 10, 0, 0, 123000)),  # noqa: DTZ001
        (Type.MOMENT, "soon", None),
        (Type.MOMENT, "infinity", None),
        (Type.MOMENT, "290000-01-01", None),
    ],
)
def test_a_value_is_typed_or_kept_as_it_was_written(tmp_path, kind, said, held):
    (row,), noticed = conformed(tmp_path, table(text("id"), Column("v", kind)), {"id": 1, "v": said})
    assert row["v"] == held
    if held is None:
        assert row["v__v_text"] == said
        assert row["_variants"] == "v"
        assert noticed == {("v", Change.RETYPED): 1}
    else:
        assert "v__v_text" not in row
        assert row["_variants"] is None
        assert not noticed


@given(kind=st.sampled_from([kind for kind in Type if kind not in (Type.TEXT, Type.JSON)]), said=TEXT)
@settings(max_examples=60, deadline=None)
def test_no_value_is_lost_whatever_its_type(tmp_path_factory, kind, said):
    """Typed, or in the variant column and counted; blank is the one value that is nothing."""
    declared = table(text("id"), Column("v", kind))
    (row,), noticed = conformed(tmp_path_factory.mktemp("t"), declared, {"id": 1, "v": said})
    kept = row["v"] is not None or row.get("v__v_text") is not None
    assert kept == bool(said.replace("\0", "").strip(" "))
    assert (row["_variants"] == "v") == (("v", Change.RETYPED) in noticed) == ("v__v_text" in row)


SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
NAMES = TEXT.filter(lambda name: "\0" not in name)
RECORDS = st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=3), max_size=6)


@given(records=st.lists(RECORDS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_json_object_is_a_row(tmp_path_factory, records):
    """Undeclared columns, strange names and nested values never stop a load, and none is dropped."""
    found, noticed = conformed(tmp_path_factory.mktemp("t"), table(text("id")), *records)
    assert [row["_row_number"] for row in found] == list(range(1, len(records) + 1))
    assert len({row["_row_id"] for row in found}) == len(records)
    new = [column for column, change in noticed if change is Change.NEW]
    for record, row in zip(records, found, strict=True):
        held = [row[name] for name in [*new, "id"] if row[name] is not None]
        present = [value for value in record.values() if value is not None and str(value).strip("\0")]
        assert len(held) <= len(present)
        assert bool(held) == bool(present)


def test_names_arrive_in_snake_case_and_nested_values_as_json_text(tmp_path):
    declared = table(text("message_id"), Column("context", Type.JSON))
    (row,), noticed = conformed(tmp_path, declared, {"messageId": "m1", "context": {"page": {"path": "/a"}}})
    assert row["message_id"] == "m1"
    assert json.loads(row["context"]) == {"page": {"path": "/a"}}
    assert not noticed


def test_an_undeclared_column_is_kept_and_a_missing_one_is_null(tmp_path):
    (row,), noticed = conformed(tmp_path, table(text("id"), text("city")), {"id": 1, "loyaltyTier": {"name": "gold"}})
    assert row["loyalty_tier"] == '{"name":"gold"}'
    assert row["city"] is None
    assert noticed == {("loyalty_tier", Change.NEW): 1, ("city", Change.MISSING): 1}


def test_a_column_is_missing_only_when_no_row_has_it(tmp_path):
    _, noticed = conformed(tmp_path, table(text("id"), text("city")), {"id": 1}, {"id": 2, "city": "York"})
    assert not noticed


def test_names_of_people_are_composed_and_freed_from_invisible_characters(tmp_path):
    declared = table(Column("name", content=Content.TIDY))
    said = unicodedata.normalize("NFD", "Zoë") + "\u200b\u00ad \ufeffBron\ttë"
    (row,), _ = conformed(tmp_path, declared, {"name": said})
    assert row["name"] == "Zoë Bron të"


@given(said=TEXT)
@settings(max_examples=60, deadline=None)
def test_tidying_leaves_no_control_character_and_only_composed_letters(tmp_path_factory, said):
    (row,), _ = conformed(tmp_path_factory.mktemp("t"), table(Column("name", content=Content.TIDY)), {"name": said})
    kept = row["name"] or ""
    assert not [c for c in kept if unicodedata.category(c) == "Cc"]
    assert unicodedata.normalize("NFC", unicodedata.normalize("NFC", kept)) == unicodedata.normalize("NFC", kept)


def test_the_character_zero_goes_also_when_it_is_escaped_in_nested_json(tmp_path):
    declared = table(text("id"), Column("context", Type.JSON))
    (row,), _ = conformed(tmp_path, declared, {"id": "a\0b", "context": {"k": "\0\0x", "path": "C:\\u0000"}})
    assert row["id"] == "ab"
    assert json.loads(row["context"]) == {"k": "x", "path": "C:\\u0000"}


def test_an_empty_text_is_nothing_as_it_is_in_csv(tmp_path):
    (row,), _ = conformed(tmp_path, table(text("id"), text("city")), {"id": "1", "city": "", "tier": ""})
    assert (row["city"], row["tier"]) == (None, None)


def test_a_phone_is_kept_as_written_and_as_e164(tmp_path):
    (row,), _ = conformed(tmp_path, table(phone("phone")), {"phone": "(212) 555-0100"})
    assert row["phone"] == "(212) 555-0100"
    assert row["phone_e164"] == "+12125550100"


def test_the_content_hash_knows_values_and_their_columns_but_not_empty_ones(tmp_path):
    declared = table(text("a"), text("b"))
    same, also, other, moved = conformed(tmp_path, declared, {"a": "1"}, {"a": "1", "b": None}, {"a": "2"}, {"b": "1"})[
        0
    ]
    assert same["_row_hash"] == also["_row_hash"]
    assert len({row["_row_hash"] for row in (same, other, moved)}) == 3


def test_moments_are_read_in_utc_wherever_the_machine_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    said = datetime(2017, 1, 3, 10, tzinfo=UTC).isoformat()
    (row,), _ = conformed(tmp_path, table(Column("v", Type.MOMENT)), {"v": said})
    assert row["v"] == datetime(2017, 1, 3, 10)  # noqa: DTZ001

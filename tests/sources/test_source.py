import re

import pytest

from sources.conform import empty, engine
from sources.refusals import BadDeclaration
from sources.source import Column, Source, Table, all_sources, check, load_source, text


def test_the_folder_lists_the_sources_by_name():
    names = [source.name for source in all_sources()]
    assert names == sorted(names)
    assert {"web_orders", "store_receipts", "web_events", "crm", "consent"} <= set(names)


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: source.name)
def test_every_source_says_who_owns_it_and_how_often_it_is_read(source):
    assert re.fullmatch(r"\S+@\S+", source.owner)
    assert len(source.refresh.split()) == 5
    assert source.description
    assert all(table.description and table.key for table in source.tables)


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: source.name)
def test_every_table_has_a_shape_before_any_row_arrives(source):
    with engine() as using:
        for table in source.tables:
            shape = empty(table, using)
            assert shape.num_rows == 0
            assert {column.name for column in table.columns} < set(shape.schema.names)
            assert {f"{phone}_e164" for phone in table.phones} < set(shape.schema.names)


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: source.name)
def test_every_column_that_is_personal_by_name_says_what_it_holds(source):
    telling = re.compile(r"e?mail|phone|first_?name|last_?name|address|_ip$|birth|user_id|customer_id|loyalty_number")
    for table in source.tables:
        unmarked = [c.name for c in table.columns if telling.search(c.name) and c.name not in table.personal]
        assert not unmarked


def test_an_unknown_source_is_refused_with_the_names_that_exist():
    with pytest.raises(BadDeclaration, match=r"no source is called 'shopify'.*web_orders"):
        load_source("shopify")


def test_an_unknown_table_is_refused_with_the_names_that_exist():
    with pytest.raises(BadDeclaration, match="no table 'order'; it has: orders, order_lines"):
        load_source("web_orders").table("order")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (Table("t", ("id",), "", (text("Id"),)), "snake case: Id"),
        (Table("t", ("id",), "", (text("id"), text("id"))), "declared twice: id"),
        (Table("t", ("no",), "", (text("id"),)), "undeclared columns: no"),
    ],
)
def test_a_declaration_that_cannot_be_loaded_is_refused(table, said):
    with pytest.raises(BadDeclaration, match=said):
        check(table, "sources/connectors/x.py")


def test_values_are_frozen():
    with pytest.raises(AttributeError):
        Column("a").name = "b"  # type: ignore[misc]
    assert Source("d", "o", "r", ()) == Source("d", "o", "r", ())

"""The inbox files have exactly the shapes that the connectors declare, in months and days."""

import csv
import json
import re
from datetime import date
from pathlib import Path

import pytest

from sources.source import all_sources

LAST_DAY = date(2026, 3, 10)
TABLES = [(source, table) for source in all_sources() for table in source.tables if source.name != "collector"]
BY_THE_COLLECTOR = {"previous_id", "group_id", "integrations", "consent", "is_bot", "other_fields"}


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def columns(file: Path) -> set[str]:
    with file.open() as lines:
        if file.suffix == ".csv":
            return set(next(csv.reader(lines)))
        return {key for line in lines for key in json.loads(line)}


@pytest.mark.parametrize(("source", "table"), TABLES, ids=lambda value: value.name)
def test_every_file_has_exactly_the_declared_columns(demo, folder, source, table):
    files = list((folder / "inbox" / source.name / table.name).iterdir())
    assert files
    for file in files:
        declared = {column.name for column in table.columns}
        if source.name == "web_events":
            declared -= BY_THE_COLLECTOR
        assert {snake_case(name) for name in columns(file)} == declared


def test_every_folder_of_the_inbox_is_a_declared_table(demo, folder):
    folders = {path.relative_to(folder / "inbox").as_posix() for path in (folder / "inbox").glob("*/*")}
    assert folders == {f"{source.name}/{table.name}" for source, table in TABLES}


def test_the_counts_name_every_file_and_all_its_rows(demo, folder):
    written = {file.relative_to(folder / "inbox").as_posix(): file for file in (folder / "inbox").glob("*/*/*")}
    assert written.keys() == demo.rows.keys()
    lines = {name: len(file.read_text().splitlines()) for name, file in written.items()}
    assert demo.rows == {name: count - name.endswith(".csv") for name, count in lines.items()}


def test_history_is_in_months_and_the_last_week_in_days(demo):
    names = {Path(file).stem for file in demo.rows if file.startswith(("web_events", "store_receipts/receipts"))}
    days = {name for name in names if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name)}
    assert max(days) == "2026-03-10"
    assert min(days) >= "2026-03-04"
    assert all(re.fullmatch(r"\d{4}-\d{2}", name) for name in names - days)


def test_nothing_happens_after_yesterday(query):
    moments = {
        "store_receipts__receipt_lines l join store_receipts__receipts r using (receipt_id)": "r.sold_at",
        "web_orders__orders": "updated_at",
        "web_events__events": '"receivedAt"',
        "email_engagement__events": "datetime",
        "consent__choices": "received_at",
        "shipping__shipments": "updated_at",
        "finance__payments": "created",
        "finance__refunds": "created",
        "crm__contacts": "property_lastmodifieddate",
        "support__comments": "created",
    }
    for table, column in moments.items():
        [(latest,)] = query(f"select max(cast(cast({column} as timestamp) as date)) from {table}")
        assert latest <= LAST_DAY, table

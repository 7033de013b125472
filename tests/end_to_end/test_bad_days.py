"""Input that is broken, renamed, doubled or late: it is stopped with a reason, or changes nothing that it shouldn't."""

import shutil
from collections import defaultdict

import pytest
from demo_line import Line, point_at

PUBLISHED = r"select columns('^[^_]') from staging.stg_store_receipts__receipts order by receipt_id"


def test_a_corrupted_file_stops_its_source_and_leaves_raw_as_it_was(line):
    before = line.ask("select count(*) from raw.store_receipts__receipts")
    line.drop("store_receipts", "receipts", "9999.csv", "receipt_id,store_id\n1,2,3,4,5\n")
    report = line.run()
    assert not report.succeeded
    assert any("store_receipts" in failure and "9999.csv" in failure for failure in report.failures)
    assert line.ask("select count(*) from raw.store_receipts__receipts") == before
    assert report.changes_sent == 0


def test_a_renamed_column_closes_the_gate_and_holds_the_syncs(line):
    source = line.file("web_orders", "orders", "largest")
    renamed = source.read_text().replace('"created_at"', '"creation_time"')
    line.drop("web_orders", "orders", "9999.jsonl", renamed)
    before = line.ask("select count(*), max(updated_at) from staging.stg_web_orders__orders")
    report = line.run()
    assert "raw.web_orders__orders: gate" in [check.replace("/", ".") for check in report.failed_checks]
    assert report.changes_sent == 0
    assert line.ask("select count(*), max(updated_at) from staging.stg_web_orders__orders") == before
    later = line.run("group:staging")
    assert any("cdp gate accept raw.web_orders__orders" in failure for failure in later.failures)


def drop_again(line, size):
    """A day of three feeds, in which some rows are broken on purpose, comes a second time under another name."""
    for feed in [("store_receipts", "receipts"), ("store_receipts", "receipt_lines"), ("web_orders", "orders")]:
        day = line.file(*feed, size)
        line.drop(*feed, f"again-{day.name}", day.read_bytes())


@pytest.mark.whole
def test_a_duplicated_day_changes_nothing_but_the_count_of_duplicates(line):
    drop_again(line, "largest")
    people = golden_records(line)
    report = line.run()
    assert report.succeeded, report.failures
    assert sum(report.loaded.values()) > 0
    assert golden_records(line) == people
    assert report.changes_sent == 0


@pytest.mark.whole
def test_a_duplicated_day_of_a_few_rows_is_no_less_sound_at_the_gate(line):
    drop_again(line, "smallest")
    published = line.ask(PUBLISHED)
    report = line.run("group:raw or group:gates or group:staging")
    assert report.succeeded, report.failures
    assert sum(report.loaded.values()) > 0
    assert line.ask(PUBLISHED) == published


@pytest.mark.whole
def test_a_day_that_comes_late_gives_what_it_would_have_given_in_time(line, monkeypatch):
    """A month of receipts, taken out and loaded after everything else: the same orders, of the same people."""
    in_time = orders_by_person(line)
    late = Line(line.home.parent / "late")
    shutil.copytree(line.inbox, late.inbox, copy_function=shutil.copy2)
    for name, value in point_at(late.home).items():
        monkeypatch.setenv(name, value)
    held_back = [
        sorted((late.inbox / "store_receipts" / table).iterdir())[3] for table in ("receipts", "receipt_lines")
    ]
    contents = [file.read_bytes() for file in held_back]
    for file in held_back:
        file.unlink()
    assert late.run().succeeded
    assert orders_by_person(late) != in_time
    for file, content in zip(held_back, contents, strict=True):
        file.write_bytes(content)
    assert late.run().succeeded
    assert orders_by_person(late) == in_time


def golden_records(line):
    """Every profile without its plumbing, which counts builds."""
    return line.ask(r"select columns('^[^_]') from profiles.profiles order by profile_id")


def orders_by_person(line):
    """Each person's orders; not the person's id, which comes from what landed first."""
    people = defaultdict(set)
    for person, *order in line.ask("select profile_id, order_id, ordered_at, total_amount from profiles.orders"):
        people[person].add(tuple(order))
    return {frozenset(orders) for orders in people.values()}

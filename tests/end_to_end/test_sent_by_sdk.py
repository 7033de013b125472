"""Part of the demo sent by an SDK through a collector: the same people, audiences and events as from files."""

import shutil

import pytest
from demo_line import HOUSEHOLDS, Line, point_at

# What depends on the way an event took: when it was received, so since when its link is known, and which row of which
# load it is; and the collector hears a refusal that an event tells, a row of the consent log that names a person now.
OF_THE_WAY = {
    "received_at", "since", "last_seen_at", "told_at", "record_id", "_row_id", "_load_id", "load_id", "_dlt_load_id",
    "_batch",
}  # fmt: skip
SAME = (
    "staging.stg_web_events__events", "identity.profile_identifiers", "identity.identifier_groups",
    "profiles.profiles", "profiles.profile_attributes", "profiles.profile_events", "profiles.traits",
    "audiences.vip", "audiences.cart_abandoners", "audiences.lapsed_buyers", "audiences.recent_buyers_suppression",
)  # fmt: skip


def columns_of(line, table):
    schema, name = table.split(".")
    found = line.ask(
        "select column_name from information_schema.columns where table_schema = ? and table_name = ?", schema, name
    )
    return ", ".join(f'"{column}"' for (column,) in sorted(found) if column not in OF_THE_WAY)


def tables(line):
    return {table: sorted(line.ask(f"select {columns_of(line, table)} from {table}"), key=repr) for table in SAME}


@pytest.mark.whole
def test_the_way_an_event_takes_changes_no_result(line, monkeypatch):
    from dagster_cdp.inbox import build_demo, send_part

    by_file = tables(line)
    sent = Line(line.home.parent / "sent")
    for folder in ("inbox", "truth"):
        shutil.copytree(line.home / folder, sent.home / folder, copy_function=shutil.copy2)
    for name, value in point_at(sent.home).items():
        monkeypatch.setenv(name, value)
    demo = build_demo(households=HOUSEHOLDS)
    count = send_part(demo)
    assert count > 30
    assert send_part(demo) == 0
    report = sent.run()
    assert report.succeeded, report.failures
    [(from_log,)] = sent.ask("select count(*) from raw.web_events__events where _source_file like 'log/%'")
    assert from_log == count
    again = tables(sent)
    for table in SAME:
        assert again[table] == by_file[table], table
    assert sum(sent.run().loaded.values()) == 0

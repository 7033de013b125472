"""Connectors load what the collector wrote: each line once, beside the inbox."""

import json
import time
from datetime import datetime

import fsspec
from logged import EVENTS, LANE, envelope, landed

from sources.log.followers import Followers
from sources.log.forwarder import Forwarder
from sources.log.remotes import remote_at
from sources.source import load_source


def test_each_line_is_loaded_once_and_only_what_is_new_the_next_time(town, log):
    log.append_now(LANE, [envelope(number) for number in range(20)])
    assert town.load(EVENTS).rows == {"events": 20}
    assert town.load(EVENTS).rows == {}
    for number in range(20, 40):
        log.append_now(LANE, [envelope(number)])
    assert town.load(EVENTS).rows == {"events": 20}
    assert len(set(landed(town, "_row_id"))) == 40


def test_a_row_says_in_which_segment_and_where(town, log):
    log.append_now(LANE, [envelope(1), envelope(2)])
    town.load(EVENTS)
    (file, first), (_, second) = landed(town, "_source_file, _row_number")
    assert file.startswith("log/web_events.events/w0-")
    assert (first, second) == (0, len(envelope(1)) + 1)
    assert town.rows("select source_file, accepted_count from raw.loads") == [(file, 2)]


def test_files_from_elsewhere_are_loaded_beside_the_log(town, log):
    log.append_now(LANE, [envelope(1)])
    town.drop_rows("web_events/events/a.jsonl", {"messageId": "m2", "type": "page"})
    assert town.load(EVENTS).rows == {"events": 2}
    town.drop_rows("web_events/events/b.jsonl", {"messageId": "m3", "type": "page"})
    assert town.load(EVENTS).rows == {"events": 1}
    assert landed(town) == [("m1",), ("m2",), ("m3",)]


def test_a_warehouse_that_was_dropped_is_filled_again(town, log):
    log.append_now(LANE, [envelope(1)])
    town.load(EVENTS)
    (town.home / "warehouse.duckdb").unlink()
    assert town.load(EVENTS).rows == {"events": 1}
    town.change("drop table raw.web_events__events")
    assert town.load(EVENTS).rows == {"events": 1}


def test_what_is_loaded_is_said_so_that_it_may_be_deleted(town, log):
    log.append_now(LANE, [envelope(1)])
    town.load(EVENTS)
    [place] = Followers(town.home / "log").positions("warehouse")[LANE].values()
    assert place[1] == len(envelope(1)) + 1


def test_a_webhooks_row_is_a_row_of_its_table(town, log):
    row = {"receipt_id": "r1", "total_amount": "9.50", "soldAt": "2026-01-02T03:00:00Z", "till": {"a": 1}}
    line = {"receivedAt": "2026-01-02T03:04:05Z", "webhook": "till", "deliveryId": "d1", "row": row}
    log.append_now("store_receipts.receipts", [json.dumps(line).encode()])
    assert town.load(load_source("store_receipts")).rows == {"receipts": 1}
    found = town.rows(
        "select receipt_id, total_amount::varchar, sold_at, other_fields from raw.store_receipts__receipts"
    )
    assert found == [("r1", "9.50", datetime(2026, 1, 2, 3), '{"till":{"a":1}}')]  # noqa: DTZ001 - as raw has it


def test_refusals_land_in_a_table_of_their_own(town, log):
    line = {"receivedAt": "2026-01-02T03:04:05Z", "source": "site", "stage": "plan", "codes": ["no_event_name"]}
    line |= {"planVersion": "v7", "writeKey": "wk", "messageId": "m9", "raw": '{"type":"track"}', "sdk": "x/1"}
    log.append_now("quarantine", [json.dumps(line).encode()])
    assert town.load(load_source("collector")).rows == {"refusals": 1}
    denied = {
        "receivedAt": "2026-01-02T00:00:00.000Z",
        "source": "site",
        "stage": "consent",
        "type": "page",
        "count": 3,
    }
    log.append_now("quarantine", [json.dumps(denied | {"codes": ["consent_denied"]}).encode()])
    town.load(load_source("collector"))
    found = town.rows("select stage, code, codes, plan_version, message_id, raw, count from raw.collector__refusals")
    assert found == [
        ("plan", "no_event_name", '["no_event_name"]', "v7", "m9", '{"type":"track"}', None),
        ("consent", "consent_denied", '["consent_denied"]', None, None, None, 3),
    ]


def test_a_log_that_was_shipped_is_loaded_from_there(town, log, monkeypatch):
    """The worked example for s3://, nats:// and kafka://: the same code, another address."""
    fsspec.filesystem("memory").store.clear()
    monkeypatch.setenv("CDP_LOG_ADDRESS", "memory://bucket/log")
    for numbers in (range(20), range(20, 45)):
        log.append_now(LANE, [envelope(number) for number in numbers])
        log.append_now(LANE, [envelope(900 + numbers[0], {"filler": "x" * 2000})])  # the segment is full
        while list((town.home / "log" / LANE).glob("*.ndjson")):
            time.sleep(0.01)
        Forwarder(town.home / "log", remote_at("memory://bucket/log")).ship()
        assert town.load(EVENTS).rows == {"events": len(numbers) + 1}
        assert town.load(EVENTS).rows == {}
    assert Followers(town.home / "log").names() == ["shipping"]


def test_looking_does_not_read_the_log_again(town, log, monkeypatch):
    """Neither the look nor the next load touches what was read: the cost is that of what is new."""
    log.append_now(LANE, [envelope(number) for number in range(500)])
    town.load(EVENTS)
    log.append_now(LANE, [envelope(501)])
    read = []
    from sources.log import reader

    whole = reader.whole_lines
    monkeypatch.setattr(reader, "whole_lines", lambda data: read.append(len(data)) or whole(data))
    assert town.load(EVENTS).rows == {"events": 1}
    assert sum(read) < 10 * len(envelope(501))
    read.clear()
    assert town.load(EVENTS).rows == {}
    assert read == []

"""Connectors load what the collector wrote: each line once, in the shape of the table, beside the inbox."""

import json
import os
import subprocess
import sys
from datetime import datetime

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.log.followers import Followers
from sources.log.forwarder import Forwarder
from sources.log.remotes import remote_at
from sources.log.writer import Limits, Writer
from sources.source import load_source

EVENTS = load_source("web_events")
LANE = "web_events.events"


@pytest.fixture
def log(town):
    writer = Writer(town.home / "log", "w0", Limits(segment_bytes=2000))
    yield writer
    writer.close()


def envelope(number, event=None, **more):
    event = {"type": "track", "event": "Seen", "anonymousId": f"a{number}", "properties": {"n": number}} | (event or {})
    facts = {"receivedAt": "2026-01-02T03:04:05.678Z", "writeKey": "wk", "messageId": f"m{number}", "sentAt": None}
    facts |= {"ip": None, "isBot": False, "consent": {"analytics": True}, "defaults": None}
    return json.dumps(facts | more | {"event": event}).encode()


def landed(town, columns="message_id"):
    return town.rows(f"select {columns} from raw.web_events__events order by message_id")


def one(town, log, columns, event=None, **more):
    log.append_now(LANE, [envelope(1, event, **more)])
    town.load(EVENTS)
    [row] = landed(town, columns)
    return row


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


def test_the_columns_of_an_event(town, log):
    event = {"type": "identify", "userId": 17, "traits": {"email": "a@example.com"}, "previousId": "p", "groupId": "g"}
    row = one(town, log, "type, user_id, traits, previous_id, group_id, write_key, is_bot, consent", event)
    assert row == ("identify", "17", '{"email":"a@example.com"}', "p", "g", "wk", False, '{"analytics":true}')


def test_the_envelope_counts_more_than_what_the_client_says_of_itself(town, log):
    event = {"messageId": "x", "message_id": "y", "receivedAt": "1999-01-01T00:00:00Z", "writeKey": "stolen"}
    row = one(town, log, "message_id, received_at, write_key", event)
    assert row == ("m1", datetime(2026, 1, 2, 3, 4, 5, 678000), "wk")  # noqa: DTZ001 - as raw has it


def test_a_field_nobody_declared_is_kept_and_makes_no_column(town, log):
    log.append_now(LANE, [envelope(n, {f"invented{n}": n, "channel": "web"}) for n in range(600)])
    assert town.load(EVENTS).rows == {"events": 600}
    assert json.loads(landed(town, "other_fields")[0][0]) == {"invented0": 0, "channel": "web"}
    assert town.load(EVENTS).changes == []


@pytest.mark.parametrize(
    ("event", "sent", "expected"),
    [
        ({"timestamp": "2026-01-02T03:04:00Z"}, None, "03:04:00"),
        ({"timestamp": "2026-01-02T05:00:00Z"}, "2026-01-02T05:00:05.678Z", "03:04:00"),  # its clock is two hours ahead
        ({"originalTimestamp": "2026-01-02T05:00:00Z", "sentAt": "2026-01-02T05:00:05.678Z"}, None, "03:04:00"),
        ({"timestamp": "2026-01-02T03:04:00Z"}, "2026-01-02T03:04:04.678Z", "03:04:00"),  # a second on the way
        ({"timestamp": "2026-01-02T06:04:00+03:00"}, None, "03:04:00"),
        ({"timestamp": 1767323040000}, None, "03:04:00"),
        ({"timestamp": "2031-01-01T00:00:00Z"}, None, "03:04:05.678"),  # the future is now
        ({}, None, "03:04:05.678"),
    ],
)
def test_when_it_happened_is_said_by_our_clock(town, log, event, sent, expected):
    [happened] = one(town, log, "timestamp", event, sentAt=sent)
    assert happened == datetime.fromisoformat(f"2026-01-02T{expected}")


def test_a_moment_that_is_none_is_kept_for_staging_to_refuse(town, log):
    assert one(town, log, "timestamp, timestamp__v_text", {"timestamp": "soon"}) == (None, "soon")


def test_a_batchs_defaults_lie_under_the_events_own(town, log):
    defaults = {"context": {"library": {"name": "x", "version": "1"}, "locale": "en"}, "integrations": {"All": True}}
    event = {"context": {"library": {"version": "2"}}}
    context, integrations = one(town, log, "context, integrations", event, defaults=defaults)
    assert json.loads(context) == {"library": {"name": "x", "version": "2"}, "locale": "en"}
    assert json.loads(integrations) == {"All": True}


@pytest.mark.parametrize(
    ("said", "seen", "kept"),
    [(None, "203.0.113.0", "203.0.113.0"), ("198.51.100.0", "203.0.113.0", "198.51.100.0"), (None, None, None)],
)
def test_the_network_of_who_called_is_told_where_the_event_names_none(town, log, said, seen, kept):
    [context] = one(town, log, "context", {"context": {"ip": said} if said else {}}, ip=seen)
    assert json.loads(context or "{}").get("ip") == kept


POISON = [
    b'{"receivedAt":"2026-01-02T03:04:05Z","messageId":"m1","event":{"type":"track","event":"\\ud83d cut"}}',
    b'{"receivedAt":"2026-01-02T03:04:05Z","messageId":"m1","event":{"type":"track","properties":{"n":1e400}}}',
    b'{"receivedAt":"2026-01-02T03:04:05Z","messageId":"m1","event":{"properties":' + b"[" * 400 + b"]" * 400 + b"}}",
    b'{"receivedAt":"2026-01-02T03:04:05Z","messageId":"m1","event":{"properties":' + b"[" * 5000 + b"]" * 5000 + b"}}",
    b'{"messageId":"m1","event":{"context":"no object","properties":[1],"traits":7}}',
    b'{"messageId":"m1","event":{"timestamp":"0001-01-01T00:00:00+14:00","sentAt":"9999-12-31T23:59:59Z"}}',
    b'{"messageId":"m1","event":{"event":"a\\u0000b","userId":123456789012345678901234567890}}',
    b'{"messageId":"m1","event":{"type":{"a":1},"userId":["x"],"timestamp":true}}',
    b'{"messageId":"m1","event":{"a":1,"a":2}}',
    b'{"messageId":"m1","event":"text"}',
    b'{"messageId":"m1","event":{"event":"\xff\xfe"}}',
    b'{"messageId":"m1"',
    b"17",
]


@pytest.mark.parametrize("line", POISON, ids=range(len(POISON)))
def test_a_poisoned_line_becomes_a_row_and_never_stops_its_neighbours(town, log, line):
    log.append_now(LANE, [envelope(2), line, envelope(3)])
    assert town.load(EVENTS).rows == {"events": 3}
    assert {("m2",), ("m3",)} <= set(landed(town))
    # whatever lands as JSON can be taken apart by the models
    town.rows("select json_extract_string(properties, '$.x'), json_extract_string(context, '$.ip') "
              "from raw.web_events__events")  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["type", "event", "userId", "timestamp", "sentAt", "context", "properties", "traits", "x", "a_b"]
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(KEYS, JSON, max_size=6), min_size=1, max_size=20))
def test_any_event_becomes_one_row(shape_and_landing, events):
    shape, landing = shape_and_landing
    lines = [json.dumps({"messageId": str(at), "event": event}).encode() for at, event in enumerate(events)]
    rows, names = shape.rows(enumerate(lines))
    pages = list(landing.lines(EVENTS.table("events"), "log/x", rows, names))
    assert sorted(at for page in pages for at in page["message_id"].to_pylist()) == sorted(map(str, range(len(events))))
    using = landing.using
    for page in pages:  # noqa: B007 - found by DuckDB by its name
        using.execute(
            "select json_extract_string(properties, '$.x'), json_extract_string(traits, '$.x') from page"
        ).fetchall()


@pytest.fixture(scope="module")
def shape_and_landing():
    from sources.landing import Landing
    from sources.origins.envelope import Shape

    landing = Landing(EVENTS, datetime(2026, 1, 1))  # noqa: DTZ001 - as raw has it
    yield Shape(EVENTS.table("events")), landing
    landing.close()


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


KILLED = """
import os, signal, sys
import dlt
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob, DuckDbClient
import sources.landing, sources.pipeline
from sources.source import load_source

def die(owner, name, after):
    called = getattr(owner, name)
    def wrapped(*args, **kwargs):
        if after:
            called(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, wrapped)

die(*{
    "while reading": (sources.landing.Landing, "lines", True),
    "when extracted": (dlt.Pipeline, "extract", True),
    "before a table is copied": (DuckDbCopyJob, "run", False),
    "after a table is copied": (DuckDbCopyJob, "run", True),
    "before the commit": (DuckDbClient, "complete_load", False),
    "after the commit": (DuckDbClient, "complete_load", True),
    "before the books are closed": (dlt.Pipeline, "load", True),
}[sys.argv[1]])
sources.pipeline.load(load_source("web_events"))
"""
MOMENTS = ["while reading", "when extracted", "before a table is copied", "after a table is copied"]
MOMENTS += ["before the commit", "after the commit", "before the books are closed"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS if os.environ.get("CDP_TEST_WHOLE") else ["before the commit"])
def test_a_load_that_is_killed_costs_no_line_and_leaves_none_twice(town, log, moment):
    log.append_now(LANE, [envelope(number) for number in range(5)])
    town.load(EVENTS)
    log.append_now(LANE, [envelope(number) for number in range(5, 12)])
    ended = subprocess.run([sys.executable, "-c", KILLED, moment], check=False, capture_output=True, env=os.environ)
    assert ended.returncode == -9, ended.stderr.decode()
    log.append_now(LANE, [envelope(12)])
    town.load(EVENTS)
    town.load(EVENTS)
    assert town.rows("select count(*), count(distinct _row_id) from raw.web_events__events") == [(13, 13)]
    assert town.rows("select sum(accepted_count) from raw.loads") == [(13,)]
    assert town.load(EVENTS).rows == {}

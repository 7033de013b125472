"""A line becomes a row in the shape of the table, whatever it holds."""

import json
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logged import EVENTS, LANE, envelope, landed, one


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

"""What Segment's API promises to its SDKs: an event is judged alone, by shape, size and id."""

import base64
import gzip
import json

import pytest
from door import SERVER_KEY, TRACK

# invalid events


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "track", "event": "A"}, "no_user_anon_id"),
        ({"type": "track", "event": "A", "userId": "", "anonymousId": None}, "no_user_anon_id"),
        ({"type": "track", "userId": "u"}, "missing_event_name"),
        ({"type": "alias", "userId": "u"}, "missing_previous_id"),
        ({"type": "group", "userId": "u"}, "missing_group_id"),
        ({"type": "purchase", "userId": "u"}, "unknown_type"),
        ({"userId": "u"}, "unknown_type"),
        ({"type": "track", "event": 7, "userId": "u"}, "wrong_type_of_field"),
        ({"type": "track", "event": "A", "userId": {}}, "wrong_type_of_field"),
        ({**TRACK, "messageId": "m" * 101}, "message_id_too_long"),
        ({**TRACK, "context": "c"}, "wrong_type_of_field"),
        ("track", "not_an_object"),
        (None, "not_an_object"),
    ],
)
def test_an_invalid_event_gets_200_and_its_neighbours_are_not_stopped(door, event, code):
    answer = door.batch({**TRACK, "messageId": "before"}, event, {**TRACK, "messageId": "after"})
    assert answer.status_code == 200
    assert [line["messageId"] for line in door.lines()] == ["before", "after"]
    assert door.refused() == [code]
    assert json.loads(door.lines("quarantine")[0]["raw"]) == event


def test_numbers_may_be_ids_and_are_text_in_the_warehouse(door):
    door.track(userId=7, anonymousId=0)
    assert [(row["user_id"], row["anonymous_id"]) for row in door.rows()] == [(7, 0)]


# sizes


def event_of(size: int) -> bytes:
    head = b'{"type":"track","event":"A","userId":"u","note":"'
    return head + b"x" * (size - len(head) - 2) + b'"}'


def test_a_single_event_may_have_32_kb(door):
    assert door.post("/v1/track", event_of(32 * 1024)).status_code == 200
    answer = door.post("/v1/track", event_of(32 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")
    assert (len(door.lines()), door.refused()) == (1, ["body_too_large"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_batch_may_have_500_kb_unpacked(door, pack):
    largest = b'{"batch":[' + b",".join([event_of(32_000)] * 15) + b"]}"
    assert door.post("/v1/batch", pack(largest[:-1] + b" " * (500 * 1024 - len(largest)) + b"}")).status_code == 200
    answer = door.post("/v1/batch", pack(largest[:-1] + b" " * (500 * 1024 - len(largest) + 1) + b"}"))
    assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")


def test_a_large_event_in_a_batch_is_kept_apart_alone(door):
    body = b'{"batch":[' + event_of(100) + b"," + event_of(32 * 1024 + 1) + b"]}"
    assert door.post("/v1/batch", body).status_code == 200
    assert (len(door.lines()), door.refused()) == (1, ["event_too_large"])


def test_what_a_batch_lends_counts_for_each_event(door):
    door.batch(*({**TRACK, "messageId": str(n)} for n in range(3)), context={"note": "x" * 33_000})
    assert door.refused() == ["event_too_large"] * 3


def test_more_than_2500_events_are_all_kept_apart(door):
    events = [{"type": "track", "event": "A", "userId": "u", "n": n} for n in range(2501)]
    assert door.batch(*events).status_code == 200
    assert (len(door.lines()), door.refused()) == (0, ["too_many_events"] * 2501)
    assert door.batch(*events[:2500]).status_code == 200
    assert len(door.lines()) == 2500


def test_a_bomb_is_defused(door):
    bomb = gzip.compress(b'{"batch":[' + b" " * 300_000_000)
    assert len(bomb) < 400_000
    assert door.post("/v1/batch", bomb).status_code == 413


@pytest.mark.parametrize("cut", [slice(0, 40), slice(0, 2), slice(0, -1)])
def test_gzip_that_is_cut_off_is_malformed(door, cut):
    body = gzip.compress(json.dumps({"batch": [TRACK]}).encode())
    assert door.post("/v1/batch", body[cut]).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":}', b"\xff", b"[1]", b'"x"', b"nul"])
def test_malformed_json_is_400_and_kept(door, body):
    assert door.post("/v1/track", body).status_code == 400
    assert door.refused() == ["malformed_json"]
    [line] = door.lines("quarantine")
    assert (base64.b64decode(line["raw"]) if line["isBase64"] else line["raw"].encode()) == body


# message ids


def test_a_message_id_is_given_where_there_is_none(door):
    door.track(messageId=None)
    door.track(messageId="")
    assert all(line["messageId"].startswith("assigned-") for line in door.lines())
    assert len({line["messageId"] for line in door.lines()}) == 2


def test_a_repeated_request_without_ids_gets_the_same_ones(door):
    event = {"type": "track", "event": "A", "userId": "u", "timestamp": "2026-01-01T00:00:00Z"}
    for _ in range(3):
        door.batch(event, event, {**event, "userId": "v"})
    assert len(door.lines()) == 3


def test_repeats_in_a_batch_and_later_are_one(door):
    door.batch(TRACK, TRACK)
    door.track()
    door.batch({**TRACK, "messageId": "m2"}, TRACK)
    assert [line["messageId"] for line in door.lines()] == ["m1", "m2"]
    assert door.collector.metrics.events["site", "duplicate"] == 3


def test_the_same_id_from_two_sources_is_two_events(door):
    door.track()
    door.post("/v1/track", TRACK, key=SERVER_KEY)
    assert len(door.lines()) == 2


def test_a_repaired_event_may_come_with_the_id_of_the_refused(door):
    door.track(event=None)
    door.track()
    assert (len(door.lines()), len(door.refused())) == (1, 1)


# poison


POISON = {
    "NUL": (b'"\\u0000"', ["nul_character"]),
    "half an emoji": (b'"\\ud83d"', ["invalid_unicode"]),
    "half an emoji first": (b'"\\udc00x"', ["invalid_unicode"]),
    "no UTF-8": (b'"\xff\xfe"', ["invalid_unicode"]),
    "duplicate keys": (b'{"a":1,"a":2}', []),
    "deep": (b"[" * 300 + b"]" * 300, []),
    "too deep": (b"[" * 5000 + b"]" * 5000, ["too_deep"]),
    "deep objects": (b'{"a":' * 3000 + b"1" + b"}" * 3000, ["too_deep"]),
    "many properties": (b"{" + b",".join(b'"%d":1' % n for n in range(3500)) + b"}", []),
    "beyond numbers": (b"1e400", []),
    "a long number": (b"1" * 400, []),
    "a whole emoji": (b'"\\ud83d\\ude00"', []),
    "an escaped backslash": (b'"\\\\ud83d \\\\u0000"', []),
}


@pytest.mark.parametrize("name", POISON)
@pytest.mark.parametrize("is_single", [True, False])
def test_a_poisoned_event_is_judged_alone(door, name, is_single, caplog):
    value, codes = POISON[name]
    poisoned = b'{"type":"track","event":"A","userId":"u","messageId":"p","properties":{"v":' + value + b"}}"
    healthy = json.dumps(TRACK).encode()
    if is_single:
        door.track()
        answer = door.post("/v1/track", poisoned)
    else:
        answer = door.post("/v1/batch", b'{"batch":[' + poisoned + b"," + healthy + b"]}")
    assert answer.status_code == 200
    assert door.refused() == codes
    assert len(door.lines()) == 2 - len(codes)
    assert len(door.rows()) == 2 - len(codes)
    assert caplog.record_tuples == []


def test_a_byte_order_mark_is_forgiven(door):
    assert door.post("/v1/track", b"\xef\xbb\xbf" + json.dumps(TRACK).encode()).status_code == 200
    assert len(door.lines()) == 1


def test_line_breaks_of_pretty_json_do_not_break_lines(door):
    assert door.post("/v1/batch", json.dumps({"batch": [TRACK]}, indent=2).replace("\n", "\r\n")).status_code == 200
    assert door.post("/v1/track", json.dumps({**TRACK, "messageId": "m2"}, indent=2)).status_code == 200
    assert len(door.lines()) == 2

"""What Segment's API promises to its SDKs, line by line."""

import base64
import gzip
import json
import logging

import pytest
from door import KEY, SENDERS, SERVER_KEY, TRACK, Door, basic
from msgspec.structs import replace

from sources.collector.app import Collector
from sources.collector.settings import Limits, Settings
from sources.log.refusals import LogBusy, LogFailed, LogFull

FULL = {
    "track": {"event": "Product Viewed"},
    "identify": {"traits": {"email": "a@example.com"}},
    "page": {"name": "Home"},
    "screen": {"name": "Home"},
    "group": {"groupId": "g1"},
    "alias": {"previousId": "a1"},
}
SHORT = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}


# 1. single calls


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.parametrize("is_short", [False, True])
def test_each_type_has_a_long_and_a_short_path_and_the_path_names_the_type(door, kind, is_short):
    path = SHORT[kind] if is_short else kind
    answer = door.post(f"/v1/{path}", {"userId": "u1", "messageId": "m1", **FULL[kind]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["content-type"] == "application/json"
    assert [row["type"] for row in door.rows()] == [kind]


def test_the_type_in_the_body_is_kept_where_there_is_one(door):
    door.post("/v1/track", {"type": "page", "userId": "u1"})
    assert [row["type"] for row in door.rows()] == ["page"]


def test_a_type_that_is_null_is_replaced_by_the_paths(door):
    door.post("/v1/page", '{"userId": "u1", "type": null }')
    assert [row["type"] for row in door.rows()] == ["page"]


# 2. batches


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_a_batch_lends_its_context_and_integrations_to_each_event(door, path):
    body = {
        "batch": [TRACK, {**TRACK, "messageId": "m2", "context": {"locale": "fr", "app": {"name": "b"}}}],
        "context": {"locale": "en", "app": {"version": "1"}},
        "integrations": {"All": True},
        "sentAt": "2026-01-01T00:00:00Z",
    }
    assert door.post(path, body).status_code == 200
    first, second = (row["context"] for row in door.rows())
    assert first["locale"] == "en"
    assert second == {"locale": "fr", "app": {"version": "1", "name": "b"}, "ip": "203.0.113.0"}
    assert [line["defaults"]["integrations"] for line in door.lines()] == [{"All": True}] * 2


def test_the_events_bytes_are_the_clients(door):
    event = '{"type":"track","event":"A","userId":"u1","n":1.10,"big":12345678901234567890123,"k":1,"k":2}'
    door.post("/v1/batch", '{"batch":[' + event + "]}")
    [segment] = (door.folder / "log" / "web_events.events").iterdir()
    assert f'"event":{event}}}\n' in segment.read_text()


def test_an_empty_batch_is_nothing(door):
    assert door.batch().status_code == 200
    assert door.lines() == []


@pytest.mark.parametrize("body", ["[]", '{"batch": {}}', '{"events": []}', "null", "3"])
def test_what_is_no_batch_is_malformed(door, body):
    answer = door.post("/v1/batch", body)
    assert (answer.status_code, answer.json()) == (400, {"success": False, "code": "malformed_json"})


# 3. the other ways in


def test_a_beacon_carries_its_key_in_the_address(door):
    answer = door.post(f"/beacon/v1/batch?writeKey={KEY}", {"batch": [TRACK]}, {"content-type": "text/plain"}, key=None)
    assert answer.status_code == 200
    assert len(door.lines()) == 1


@pytest.mark.parametrize("kind", ["track", "page"])
def test_a_pixel_is_an_event_and_an_image(door, kind):
    data = base64.urlsafe_b64encode(json.dumps({"event": "Opened", "userId": "ü1"}).encode()).decode().rstrip("=")
    answer = door.ask("GET", f"/pixel/v1/{kind}", params={"data": data, "writeKey": KEY})
    assert answer.headers["content-type"] == "image/gif"
    assert answer.content.startswith(b"GIF89a")
    assert [(row["type"], row["user_id"]) for row in door.rows()] == [(kind, "ü1")]


@pytest.mark.parametrize("data", ["%%%", "bm90IGpzb24", "x" * 40_000])
def test_a_pixel_that_cannot_be_read_is_an_image_all_the_same(door, data):
    answer = door.ask("GET", "/pixel/v1/track", params={"data": data, "writeKey": KEY})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert len(door.refused()) == 1


def test_a_pixel_without_data_takes_single_parameters(door):
    door.ask("GET", "/pixel/v1/track", params={"writeKey": KEY, "event": "Opened", "anonymousId": "a", "mail": "7"})
    assert [row["properties"] for row in door.rows()] == [{"mail": "7"}]


def test_two_looks_at_one_pixel_are_two_events(door):
    for _ in range(2):
        door.ask("GET", "/pixel/v1/page", params={"writeKey": KEY, "anonymousId": "a"})
    assert len({line["messageId"] for line in door.lines()}) == 2


@pytest.mark.parametrize("path", [f"/v1/projects/{KEY}/settings", f"/projects/{KEY}/settings"])
def test_settings_name_the_one_destination(door, path):
    assert door.ask("GET", path).json()["integrations"]["Segment.io"]["apiKey"] == KEY


def test_settings_of_an_unknown_key_are_not_found(door):
    assert door.ask("GET", "/v1/projects/nobody/settings").status_code == 404


@pytest.mark.parametrize("path", ["/health", "/healthz", "/robots.txt", "/openapi.json", "/snippet.js"])
def test_what_anyone_may_read(door, path):
    assert door.ask("GET", path).status_code == 200


def test_a_kits_measurements_of_itself_are_thrown_away(door):
    assert door.post("/v1/m", {"series": []}, key=None).status_code == 200
    assert door.lines() == door.lines("quarantine") == []


# 4. keys


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/track", basic(), TRACK),
        ("/v1/track", {"authorization": "Basic " + base64.b64encode(KEY.encode()).decode()}, TRACK),
        ("/v1/track", {}, {**TRACK, "writeKey": KEY}),
        ("/v1/batch", {}, {"batch": [TRACK], "writeKey": KEY}),
        (f"/v1/track?writeKey={KEY}", {}, TRACK),
        ("/v1/track", {"authorization": f"Bearer {KEY}"}, TRACK),
        ("/v1/track", basic(), {**TRACK, "writeKey": "another"}),
    ],
)
def test_the_key_is_found_in_segments_order(door, path, headers, body):
    assert door.post(path, body, headers, key=None).status_code == 200
    assert [line["writeKey"] for line in door.lines()] == [KEY]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (basic("nobody"), TRACK),
        (basic("nobody"), {**TRACK, "writeKey": KEY}),
        ({"authorization": "Basic %%%"}, TRACK),
        ({"authorization": "Basic"}, TRACK),
        ({}, TRACK),
        ({}, {**TRACK, "writeKey": 7}),
        ({}, "{"),
    ],
)
def test_an_unknown_key_is_401_and_nothing_is_stored(door, headers, body):
    answer = door.post("/v1/track", body, headers, key=None)
    assert (answer.status_code, answer.json()["success"]) == (401, False)
    assert door.lines() == door.lines("quarantine") == []


def test_a_source_that_is_switched_off_is_404(door):
    assert door.post("/v1/track", TRACK, key="wk_off").status_code == 404


# 5. and 8. invalid events


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


# 6. sizes


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


# 7. message ids


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


# 9. headers


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "nonsense"]
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_any_content_type_is_json_and_gzip_is_recognised(door, kind, pack):
    body = pack(json.dumps({"batch": [TRACK]}).encode())
    assert door.post("/v1/batch", body, {"content-type": kind}).status_code == 200
    assert len(door.lines()) == 1


def test_a_retry_is_recorded(door):
    door.post("/v1/track", TRACK, {"x-retry-count": "3"})
    door.post("/v1/track", {**TRACK, "messageId": "m2"}, {"x-retry-count": "many"})
    assert [line.get("retryCount") for line in door.lines()] == [3, None]


# 10. CORS


def test_a_preflight_is_answered_for_a_day(door):
    answer = door.ask("OPTIONS", "/v1/t", headers={"origin": "https://shop.example"})
    assert answer.status_code == 204
    told = {name.removeprefix("access-control-"): value for name, value in answer.headers.items()}
    assert told["allow-origin"] == "https://shop.example"
    assert told["allow-credentials"] == "true"
    assert told["max-age"] == "86400"
    assert told["allow-methods"] == "GET, POST, OPTIONS"
    assert {"authorization", "content-type", "anonymousid", "x-retry-count"} <= set(told["allow-headers"].split(", "))
    assert "Retry-After" in told["expose-headers"]


@pytest.mark.parametrize(("key", "status"), [(KEY, 200), ("nobody", 401)])
def test_pages_may_read_every_answer(door, key, status):
    answer = door.post("/v1/t", TRACK, {"origin": "https://shop.example"}, key=key)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


# 11. pressure


class Refusing:
    """A log that takes nothing."""

    def __init__(self, error):
        self.error = error

    def submit(self, *_):
        raise self.error

    def close(self):
        pass


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(LogBusy("x"), 429, "log_busy"), (LogFull("x"), 503, "log_full"), (LogFailed("x"), 503, "log_failed")],
)
def test_what_is_not_on_disk_is_never_200(tmp_path, error, status, code):
    door = Door(tmp_path, log=Refusing(error))
    answer = door.track()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert int(answer.headers["retry-after"]) >= 1
    assert ("x-ratelimit-reset" in answer.headers) == (status == 429)
    assert door.ask("GET", "/healthz").status_code == (503 if status == 503 else 200)


def test_an_id_is_remembered_only_when_its_event_is_on_disk(tmp_path):
    door = Door(tmp_path, log=Refusing(LogFull("x")))
    door.track()
    kept = Door(tmp_path)
    kept.track()
    assert len(kept.lines()) == 1


def test_a_source_beyond_its_rate_waits(door_of):
    door = door_of(Settings(sources={"site": replace(SENDERS["site"], events_per_second=1)}))
    assert door.batch(*({**TRACK, "messageId": str(n)} for n in range(30))).status_code == 200
    answer = door.track()
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 15 <= int(answer.headers["retry-after"]) <= 22
    assert len(door.lines()) == 30


# 12. times


@pytest.mark.parametrize("written", ["2026-01-01T10:00:00Z", "2026-01-01T11:00:00+01:00", 1767261600000])
def test_a_clock_that_is_wrong_is_corrected_by_when_it_was_sent(door, written):
    door.batch({**TRACK, "timestamp": written}, sentAt="2026-01-01T10:00:05Z")
    [line], [row] = door.lines(), door.rows()
    received = line["receivedAt"]
    assert row["received_at"] == received
    assert row["timestamp"] < received
    assert row["timestamp"][:15] == received[:15] or received[14:16] == "00"


def test_an_event_of_the_future_happens_now(door):
    door.track(timestamp="2199-01-01T00:00:00Z")
    [row] = door.rows()
    assert row["timestamp"] == row["received_at"]


# 13. addresses


@pytest.mark.parametrize(
    ("key", "context", "stored"),
    [
        (KEY, {}, "203.0.113.0"),
        (KEY, {"ip": "198.51.100.9"}, "198.51.100.0"),
        (SERVER_KEY, {}, None),
        (SERVER_KEY, {"direct": True}, "203.0.113.0"),
        (SERVER_KEY, {"ip": "2001:db8:1:2::3"}, "2001:db8:1::"),
        (SERVER_KEY, {"ip": ["198.51.100.9"]}, None),
    ],
)
def test_the_address_is_the_shoppers_and_is_cut(door, key, context, stored):
    door.post("/v1/track", {**TRACK, "context": context, "properties": {"seen": context.get("ip")}}, key=key)
    [row] = door.rows()
    assert (row.get("context") or {}).get("ip") == stored
    text = json.dumps(door.lines())
    assert "203.0.113.77" not in text
    assert not isinstance(context.get("ip"), str) or context["ip"] not in text


def test_an_address_spelled_with_escapes_is_cut_too(door):
    door.post("/v1/track", '{"event":"A","userId":"u","context":{"ip":"198.51.100.\\u0039"}}')
    assert [row["context"]["ip"] for row in door.rows()] == ["198.51.100.0"]


def test_only_our_own_proxies_are_believed(tmp_path, door_of):
    forged = {"x-forwarded-for": "192.0.2.1, 198.51.100.9"}
    door = door_of(Settings(sources={"site": Door(tmp_path).settings.sources["site"]}, trusted_proxies=1))
    door.post("/v1/track", TRACK, forged)
    assert [line["ip"] for line in door.lines()] == ["198.51.100.0"]


def test_integrations_are_kept(door):
    door.track(integrations={"All": False, "Meta": {"pixel": 1}})
    assert door.lines()[0]["event"]["integrations"] == {"All": False, "Meta": {"pixel": 1}}


# 15. poison


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


def test_a_fault_of_ours_is_one_typed_answer_and_says_nothing_of_the_event(door, monkeypatch, capsys):
    monkeypatch.setattr(Collector, "is_well", lambda _: 1 / 0)
    answer = door.track(userId="secret-user")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "secret" not in told


def test_limits_are_segments():
    assert (Limits().event, Limits().batch, Limits().events) == (32768, 512000, 2500)
    assert logging.getLogger("sources").handlers == []

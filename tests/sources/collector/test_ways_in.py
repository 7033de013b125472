"""What Segment's API promises to its SDKs: single calls, batches, beacons, pixels and what is only read."""

import base64
import json
from datetime import datetime, timedelta

import pytest
from door import KEY, TRACK

FULL = {
    "track": {"event": "Product Viewed"},
    "identify": {"traits": {"email": "a@example.com"}},
    "page": {"name": "Home"},
    "screen": {"name": "Home"},
    "group": {"groupId": "g1"},
    "alias": {"previousId": "a1"},
}
SHORT = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}


# single calls


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


# batches


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


# the other ways in


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


# times


@pytest.mark.parametrize("written", ["2026-01-01T10:00:00Z", "2026-01-01T11:00:00+01:00", 1767261600000])
def test_a_clock_that_is_wrong_is_corrected_by_when_it_was_sent(door, written):
    door.batch({**TRACK, "timestamp": written}, sentAt="2026-01-01T10:00:05Z")
    [line], [row] = door.lines(), door.rows()
    assert row["received_at"] == line["receivedAt"]
    received, happened = map(datetime.fromisoformat, (row["received_at"], row["timestamp"]))
    assert received - happened == timedelta(seconds=5)


def test_an_event_of_the_future_happens_now(door):
    door.track(timestamp="2199-01-01T00:00:00Z")
    [row] = door.rows()
    assert row["timestamp"] == row["received_at"]

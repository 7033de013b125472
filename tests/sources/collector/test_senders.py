"""What Segment's API promises to its SDKs: keys, headers, origins, and whose address is kept."""

import base64
import gzip
import json

import pytest
from door import KEY, SERVER_KEY, TRACK, Door, basic

from sources.collector.settings import Settings

# keys


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


# headers


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


# CORS


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


# addresses


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

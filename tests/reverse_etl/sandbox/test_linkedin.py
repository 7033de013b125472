"""The server of LinkedIn segments refuses what LinkedIn refuses."""

import json

import httpx
import pytest
from ad_people import changes, sync
from contact_line import account_at

from reverse_etl.destinations.linkedin_segments import Destination


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "linkedin", monkeypatch)
    return desk


def post(server, path="/dmpSegments/12345/users", body=None, **headers):
    headers = {
        "authorization": "Bearer sandbox",
        "linkedin-version": "202604",
        "x-restli-protocol-version": "2.0.0",
        "x-restli-method": "BATCH_CREATE",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.url('linkedin')}/rest{path}", json=body, headers=headers)


def test_the_server_refuses_what_linkedin_refuses(server):
    destination = Destination(sync("linkedin_segments", "email", options={"segment_id": "12345"}))
    body = json.loads(destination.request(changes(destination, [1])).body)

    assert post(server, body=body).status_code == 200
    assert post(server, body=body, linkedin_version="").status_code == 400
    assert post(server, body=body, linkedin_version="202510").status_code == 426
    assert post(server, body=body, x_restli_protocol_version="1.0.0").status_code == 400
    assert post(server, body=body, x_restli_method="CREATE").status_code == 400
    assert post(server, body={"elements": body["elements"] * 5_001}).status_code == 400
    assert post(server, "/dmpSegments/404/users", body).status_code == 404
    named = [{"action": "ADD", "firstName": "A", "lastName": "B"}, {"action": "ADD", "firstName": "A"}]
    statuses = [element["status"] for element in post(server, body={"elements": named}).json()["elements"]]
    assert statuses == [201, 400]


def test_the_server_refuses_a_second_segment_of_the_same_source(server):
    body = {
        "name": "n",
        "account": "urn:li:sponsoredAccount:1",
        "sourceSegmentId": "k",
        "sourcePlatform": "p",
        "type": "USER",
        "destinations": [{"destination": "LINKEDIN"}],
    }
    first, second = post(server, "/dmpSegments", body), post(server, "/dmpSegments", body)

    assert (first.status_code, second.status_code) == (201, 409)
    assert first.headers["x-linkedin-id"] == "10000000"

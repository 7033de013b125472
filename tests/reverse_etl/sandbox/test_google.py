"""The server of Data Manager refuses what Google refuses, and forgets when Google forgets."""

import json

import pytest
from ad_people import change, changes, deliver
from contact_line import account_at
from google_list import JOHN, ask, google, members


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "google", monkeypatch)
    return desk


def test_the_server_knows_its_schema_and_its_limits(server):
    destination = google()
    body = json.loads(destination.request([change(destination, JOHN)]).body)
    identifiers = body["audienceMembers"][0]["userData"]["userIdentifiers"]

    def reason(**changed):
        details = ask(server, "audienceMembers:ingest", {**body, **changed}).json()["error"]["details"]
        return details[1]["fieldViolations"][0].get("reason") or details[1]["fieldViolations"][0]["description"]

    def member(*identifiers):
        return [{"userData": {"userIdentifiers": list(identifiers)}}]

    renamed = member({"addressInfo": identifiers[2]["address"]})
    assert 'Unknown name "addressInfo"' in reason(audienceMembers=renamed)
    assert reason(audienceMembers=member(*identifiers[:1] * 11)) == "TOO_MANY_USER_IDENTIFIERS"
    partial = {name: value for name, value in identifiers[2]["address"].items() if name != "postalCode"}
    assert reason(audienceMembers=member({"address": partial})) == "REQUIRED_FIELD_MISSING"
    assert reason(audienceMembers=member(*identifiers) * 10_001) == "TOO_MANY_AUDIENCE_MEMBERS"
    assert (
        reason(audienceMembers=[*member(identifiers[0]), {"userIdData": {"userId": "u"}}])
        == "MULTIPLE_DATA_TYPES_NOT_ALLOWED"
    )
    assert reason(encoding="") == "REQUIRED_FIELD_MISSING"
    assert reason(termsOfService={}) == "TERMS_AND_CONDITIONS_NOT_SIGNED"
    missing = [{**body["destinations"][0], "productDestinationId": "70404"}]
    assert reason(destinations=missing) == "INVALID_USER_LIST_ID"
    consented = ask(server, "audienceMembers:remove", body)
    assert consented.status_code == 400


def test_the_server_drops_who_did_not_consent_and_counts_them(server):
    destination = google()
    body = json.loads(destination.request(changes(destination, [1, 2, 3])).body)
    body["audienceMembers"][0]["consent"] = {"adUserData": "CONSENT_DENIED"}

    request_id = ask(server, "audienceMembers:ingest", body).json()["requestId"]
    said = [ask(server, f"requestStatus:retrieve?requestId={request_id}", None, "GET").json() for _ in range(2)]

    first, second = (one["requestStatusPerDestination"][0] for one in said)
    assert first["requestStatus"] == "PROCESSING"
    assert second["requestStatus"] == "PARTIAL_SUCCESS"
    assert second["errorInfo"]["errorCounts"] == [
        {"recordCount": "1", "reason": "PROCESSING_ERROR_REASON_DENIED_CONSENT"}
    ]
    assert len(members(server)) == 2


def test_the_server_clears_who_was_not_added_again(server, monkeypatch):
    destination = google()
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:00")
    deliver(destination, changes(destination, [1, 2]))
    monkeypatch.setenv("CDP_NOW", "2026-11-01T11:00:00")
    deliver(destination, changes(destination, [2, 3]))
    place = json.loads(destination.request(changes(destination, [1])).body)["destinations"]

    def clear(moment):
        return ask(server, "audienceMembers:removeAll", {"destinations": place, "removeAsOfTime": moment}).status_code

    assert clear("2026-11-01T11:30:00Z") == 400
    assert clear("2026-11-01T10:30:00Z") == 200

    assert set(members(server)) == {f"emailAddress={c.identifiers['email']}" for c in changes(destination, [2, 3])}


def test_the_server_has_a_quota_by_the_minute(server, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:00")
    destination = google()
    body = json.loads(destination.request(changes(destination, [1])).body)
    with server.store("google") as store:
        store.put("usage", "PerMinute", {"in": "2026-11-01T10:00", "count": 300})

    refused = ask(server, "audienceMembers:ingest", body)

    assert refused.status_code == 429
    limit = refused.json()["error"]["details"][0]["metadata"]["quota_limit"]
    assert limit == "IngestionMutateRequestsPerMinutePerProject"
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:01:00")
    assert ask(server, "audienceMembers:ingest", body).status_code == 200

"""Customer Match through the Data Manager API, against a server that answers late, counts and points."""

import json
from dataclasses import replace

import httpx
import pytest
from ad_people import change, changes, deliver, listened, spoilt, sync

from reverse_etl.destination import DestinationRefused, Outcome, Response, Verdict
from reverse_etl.destinations.google_data_manager import Destination
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

NAMES = ("email", "phone", "first_name", "last_name", "zip", "country")
LIST = "7090784486"
DONE = ("delivered", "")
# The vectors of normalise/vectors.yml, written down once more.
JOHN = {
    "email": "cloudy.sanfrancisco+shopping@gmail.com",
    "phone": "+1 800 555 0100",
    "first_name": "Mr. John",
    "last_name": "Doe, Jr.",
    "zip": "94107",
    "country": "us",
}
EMAIL = "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
FIRST = "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"
LAST = "799ef92a11af918e3fb741df42934f3b568ed2d93ac1df74f1b8d41a27932a6f"
UNPROCESSABLE = "0" * 8 + "a" * 56


def google(*names, **options):
    options = {"operating_account": "123-456-7890", "list_id": LIST, "customer_match_terms": "accepted", **options}
    return Destination(sync("google_data_manager", *(names or NAMES), options=options))


@pytest.fixture
def server(desk, monkeypatch):
    monkeypatch.setenv("GOOGLE_URL", desk.url("google"))
    monkeypatch.setenv("GOOGLE_TOKEN_URL", f"{desk.url('google')}/token")
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "sandbox")
    return desk


def members(server, list_id=LIST):
    return server.held("google", f"members/{list_id}")


def ask(server, verb, body, method="POST"):
    headers = {"authorization": "Bearer sandbox"}
    return httpx.request(method, f"{server.url('google')}/v1/{verb}", json=body, headers=headers)


def ended(status, total=2, **reasons):
    """The answer to: what became of it?"""
    counts = [
        {"recordCount": str(count), "reason": f"PROCESSING_ERROR_REASON_{name}"} for name, count in reasons.items()
    ]
    said = {"requestStatus": status, "errorInfo": {"errorCounts": counts}}
    said["audienceMembersIngestionStatus"] = {"userDataIngestionStatus": {"recordCount": str(total)}}
    return Response(200, json.dumps({"requestStatusPerDestination": [said]}).encode())


def test_it_conforms(server):
    check(
        google(),
        holds=lambda change: f"emailAddress={change.identifiers['email']}" in str(members(server)),
        poison={"email": "no-hash"},
    )


def test_a_member_is_its_hashes_and_a_readable_place():
    destination = google(login_account=9876543210)
    request = destination.request(
        [change(destination, JOHN), change(destination, {"email": "user.name+NYC@Example.com"})]
    )

    address = {"givenName": FIRST, "familyName": LAST, "regionCode": "US", "postalCode": "94107"}
    other = "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac"
    granted = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    assert request.path == "/v1/audienceMembers:ingest"
    assert json.loads(request.body) == {
        "destinations": [
            {
                "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
                "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "9876543210"},
                "productDestinationId": LIST,
            }
        ],
        "audienceMembers": [
            {"userData": {"userIdentifiers": [{"emailAddress": EMAIL}, {"phoneNumber": PHONE}, {"address": address}]}},
            {"userData": {"userIdentifiers": [{"emailAddress": other}]}},
        ],
        "encoding": "HEX",
        "consent": granted,
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }


def test_a_removal_carries_the_same_members_and_no_consent():
    destination = google()
    added, removed = (
        json.loads(destination.request([change(destination, JOHN, operation)]).body) for operation in ("add", "remove")
    )

    assert removed["audienceMembers"] == added["audienceMembers"]
    assert set(removed) == {"destinations", "audienceMembers", "encoding"}


@pytest.mark.parametrize(
    ("match_by", "value", "member"),
    [
        ("external_id", "u-1", {"userIdData": {"userId": "u-1"}}),
        (
            "mobile_ad_id",
            "38400000-8cf0-11bd-b23e-10b96e40000d",
            {"mobileData": {"mobileIds": ["38400000-8cf0-11bd-b23e-10b96e40000d"]}},
        ),
    ],
)
def test_a_list_of_ids_gets_ids_and_nothing_else(server, match_by, value, member):
    body = {"displayName": "l", "membershipDuration": "86400s"}
    key = {"external_id": "USER_ID", "mobile_ad_id": "MOBILE_ID"}[match_by]
    made = ask(
        server,
        "accountTypes/GOOGLE_ADS/accounts/1/userLists",
        {**body, "ingestedUserListInfo": {"uploadKeyTypes": [key]}},
    )
    destination = google(match_by, "email", match_by=match_by, list_id=made.json()["id"])
    row = change(destination, {match_by: value, **JOHN})

    assert json.loads(destination.request([row]).body)["audienceMembers"] == [member]
    assert deliver(destination, [row])[0] == [DONE]
    assert deliver(google(match_by, match_by=match_by), [row])[1].refusal.startswith("config")


def test_who_is_added_is_there_who_is_removed_is_gone(server):
    destination = google()
    rows = [change(destination, JOHN), *changes(destination, [1, 2])]

    outcomes, delivery = deliver(destination, rows)

    assert outcomes == [DONE] * 3
    assert delivery.requests == 3  # taken, processing, done
    assert len(members(server)) == 3
    leaving = [change(destination, JOHN, "remove"), *changes(destination, [2, 99], "remove")]
    assert deliver(destination, leaving)[0] == [DONE] * 3
    assert len(members(server)) == 1


def test_nothing_readable_leaves_but_the_place(server):
    destination = google()
    with listened(destination) as sent:
        deliver(destination, [change(destination, JOHN)])
        deliver(destination, [change(destination, JOHN, "remove")])

    said = b"".join(request.path.encode() + request.body for request in sent).lower()
    assert not any(word in said for word in (b"cloudy", b"gmail", b"555", b"john", b"doe"))
    assert b"94107" in said  # the vendor takes postal code and country only so


def test_rows_that_google_names_are_rejected_and_the_rest_is_taken(server):
    destination = google()
    rows = changes(destination, range(12))
    rows[3], rows[8] = spoilt(rows[3], email="plain@example.com"), spoilt(rows[8], email="ABC")

    outcomes, _ = deliver(destination, rows)

    assert [place for place, (outcome, _) in enumerate(outcomes) if outcome == "rejected"] == [3, 8]
    assert len(members(server)) == 10


def test_what_fails_late_is_only_counted_so_the_request_is_split(server):
    destination = google()
    rows = changes(destination, range(8))
    rows[5] = spoilt(rows[5], email=UNPROCESSABLE)

    outcomes, _ = deliver(destination, rows)

    assert outcomes[:5] + outcomes[6:] == [DONE] * 7
    assert outcomes[5][0] in {"rejected", "unknown"}  # what was asked before may have been applied
    assert len(members(server)) == 7


def test_it_asks_until_the_request_is_over_but_not_for_ever():
    destination = google(polls=3, poll_seconds=2)
    rows = changes(destination, [1, 2])
    taken = Response(200, b'{"requestId": "r/1"}')
    running = ended("PROCESSING")

    first = destination.follow(rows, taken)
    second = destination.follow(rows, replace(running, earlier=(taken,)))

    assert (first.request.method, first.request.path, first.wait_seconds) == (
        "GET",
        "/v1/requestStatus:retrieve?requestId=r%2F1",
        2,
    )
    assert (second.request.path, second.wait_seconds) == (first.request.path, 4)
    late = replace(running, earlier=(taken, running, running))
    assert destination.follow(rows, late) is None
    assert destination.outcomes(rows, late)[0].outcome is Outcome.DELIVERED
    assert destination.follow(rows, replace(ended("SUCCESS"), earlier=(taken,))) is None
    assert google(polls=0).follow(rows, taken) is None
    assert google(polls=0).outcomes(rows, taken)[0].outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("response", "outcome", "code"),
    [
        (ended("SUCCESS"), Outcome.DELIVERED, ""),
        (ended("FAILED", NO_CONSENT=2), Outcome.REJECTED, "no_consent"),
        (ended("FAILED"), Outcome.DEFERRED, "request_failed"),
        (ended("PARTIAL_SUCCESS", NO_CONSENT=1), Outcome.UNKNOWN, "some_failed"),
        (ended("PARTIAL_SUCCESS", DUPLICATE_GCLID=1), Outcome.DELIVERED, ""),
        (ended("A_NEW_STATUS"), Outcome.UNKNOWN, "some_failed"),
    ],
)
def test_the_end_of_a_request_is_read_for_its_rows(response, outcome, code):
    receipts = google().outcomes(changes(google(), [1, 2]), response)

    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [(outcome, code)] * 2


def refusal(status, reason="", field="", **metadata):
    violations = [{"field": field, "description": "d", "reason": reason}]
    details = [{"metadata": metadata}, {"fieldViolations": violations}]
    return Response(status, json.dumps({"error": {"code": status, "details": details}}).encode())


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (refusal(400, "INVALID_SHA256_FORMAT", "audience_members[1].user_data"), Verdict.REFUSED),
        (refusal(400, "A_NEW_REASON", "audienceMembers[1]"), Verdict.REFUSED),
        (refusal(400, "INVALID_USER_LIST_TYPE", "audience_members[0]"), Verdict.CONFIG),
        (refusal(400, "TOO_MANY_AUDIENCE_MEMBERS", "audience_members"), Verdict.CONFIG),
        (refusal(400, "", "audience_members[0].user_data"), Verdict.CONFIG),
        (refusal(400, "TERMS_AND_CONDITIONS_NOT_SIGNED", "terms_of_service"), Verdict.CONFIG),
        (Response(400, b"<html>"), Verdict.CONFIG),
        (refusal(401), Verdict.AUTH),
        (refusal(403), Verdict.AUTH),
        (refusal(404), Verdict.CONFIG),
        (refusal(409), Verdict.BUSY),
        (refusal(429, quota_limit="IngestionMutateRequestsPerMinutePerProject"), Verdict.BUSY),
        (refusal(429, quota_limit="IngestionMutateRequestsPerDayPerProject"), Verdict.CONFIG),
        (refusal(503), Verdict.BUSY),
        (refusal(500), Verdict.BROKEN),
        (ended("PARTIAL_SUCCESS", NO_CONSENT=1), Verdict.REFUSED),
        (ended("FAILED", NO_CONSENT=2), Verdict.ANSWERED),
        (ended("SUCCESS"), Verdict.ANSWERED),
    ],
)
def test_rows_are_to_blame_only_for_what_is_theirs(response, verdict):
    assert google().spec.classify(response) is verdict


@pytest.mark.parametrize("action", ["429", "500", "503", "409", "reset", "drop_after_commit"])
def test_what_may_have_been_applied_is_sent_again(server, action):
    server.plant(action, vendor="google", path="ingest")

    outcomes, _ = deliver(google(), changes(google(), [1, 2, 3]))

    assert outcomes == [DONE] * 3
    assert len(members(server)) == 3


@pytest.mark.parametrize("action", ["404", "html"])
def test_a_lost_status_leaves_rows_unknown(server, action):
    server.plant(action, vendor="google", path="requestStatus")

    outcomes, _ = deliver(google(), changes(google(), [1, 2]))

    assert [outcome for outcome, _ in outcomes] == ["unknown"] * 2


def test_a_token_is_renewed_from_the_refresh_token(server, monkeypatch):
    monkeypatch.delenv("GOOGLE_ACCESS_TOKEN")
    for name in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"):
        monkeypatch.setenv(f"GOOGLE_{name}", "sandbox")

    assert deliver(google(), changes(google(), [1]))[0] == [DONE]
    monkeypatch.setenv("GOOGLE_REFRESH_TOKEN", "revoked")
    with pytest.raises(DestinationRefused, match="gave no token"):
        deliver(google(), changes(google(), [1]))


def test_without_credentials_it_says_what_to_set(server, monkeypatch):
    monkeypatch.delenv("GOOGLE_ACCESS_TOKEN")
    with pytest.raises(DestinationRefused, match="GOOGLE_REFRESH_TOKEN"), google().connect():
        pass
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "wrong")
    assert deliver(google(), changes(google(), [1]))[1].refusal.startswith("auth")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"customer_match_terms": "read"}, r"options\.customer_match_terms"),
        ({"operating_account": "my account"}, r"options\.operating_account"),
        ({"batch_rows": 10_001}, r"options\.batch_rows"),
        ({"match_by": "external_id"}, "external_id"),
    ],
)
def test_a_bad_declaration_is_refused_in_a_line(options, said):
    with pytest.raises(BadDeclaration, match=said):
        google(**options)


def test_consent_to_something_else_is_no_consent():
    options = {"operating_account": "1", "list_id": LIST, "customer_match_terms": "accepted"}
    with pytest.raises(BadDeclaration, match="purpose: advertising"):
        Destination(sync("google_data_manager", "email", options=options, purpose="analytics"))


def test_size_is_read_back(server):
    destination = google()
    deliver(destination, changes(destination, range(5)))
    with destination.connect() as send:
        assert destination.size(send(destination.read_back())) == 5
    assert destination.size(Response(200, b"{}")) is None


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

    ask(server, "audienceMembers:removeAll", {"destinations": place, "removeAsOfTime": "2026-11-01T10:30:00Z"})

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

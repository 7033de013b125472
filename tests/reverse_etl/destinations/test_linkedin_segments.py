"""LinkedIn segments, against a server with versions, a status for each row and segments that take their time."""

import json

import pytest
from ad_people import DONE, MARY_EMAIL, change, changes, deliver, listened, spoilt, sync
from contact_line import account_at

from reverse_etl.apis.linkedin import classify
from reverse_etl.destination import DestinationRefused, Response, Verdict
from reverse_etl.destinations.linkedin_segments import Destination
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

SEGMENT = "12345"
DEVICE = "38400000-8cf0-11bd-b23e-10b96e40000d"


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "linkedin", monkeypatch)
    return desk


def linkedin(*names, **options):
    names = names or ("email", "aaid", "first_name")
    return Destination(sync("linkedin_segments", *names, options=options or {"segment_id": SEGMENT}))


def members(server, segment=SEGMENT):
    return server.held("linkedin", f"members/{segment}")


def test_it_conforms(server):
    check(
        linkedin("email"),
        holds=lambda change: f"SHA256_EMAIL={change.identifiers['email']}" in members(server),
        poison={"email": "no-hash"},
    )


def test_a_user_is_their_ids_and_no_name():
    destination = linkedin()
    row = change(
        destination, {"email": " Mary@Example.com ", "aaid": DEVICE, "first_name": "Mary", "last_name": "Test"}
    )
    request = destination.request([row])

    assert (request.path, request.headers) == ("/dmpSegments/{segment}/users", {"x-restli-method": "BATCH_CREATE"})
    ids = [{"idType": "SHA256_EMAIL", "idValue": MARY_EMAIL}, {"idType": "GOOGLE_AID", "idValue": DEVICE}]
    assert json.loads(request.body) == {"elements": [{"action": "ADD", "userIds": ids}]}
    removed = json.loads(destination.request([change(destination, {"email": "mary@example.com"}, "remove")]).body)
    assert removed == {"elements": [{"action": "REMOVE", "userIds": ids[:1]}]}


def test_who_is_added_is_there_who_is_removed_is_gone(server):
    destination = linkedin()

    assert deliver(destination, changes(destination, [1, 2, 3]))[0] == [DONE] * 3
    assert deliver(destination, changes(destination, [1, 2, 3]))[0] == [DONE] * 3
    assert deliver(destination, changes(destination, [1, 2, 99], "remove"))[0] == [DONE] * 3
    assert set(members(server)) == {f"SHA256_EMAIL={changes(destination, [3])[0].identifiers['email']}"}


def test_nothing_readable_leaves(server):
    destination = linkedin()
    with listened(destination) as sent:
        deliver(destination, [change(destination, {"email": "mary@example.com", "first_name": "Mary"})])

    assert not any(word in sent[0].body.lower() for word in (b"mary", b"example"))


def test_each_row_has_its_own_status(server):
    destination = linkedin()
    rows = changes(destination, range(5))
    rows[2] = spoilt(rows[2], email="plain@example.com")

    outcomes, delivery = deliver(destination, rows)

    assert outcomes == [DONE, DONE, ("rejected", "status_400"), DONE, DONE]
    assert delivery.requests == 1
    assert len(members(server)) == 4


@pytest.mark.parametrize(
    ("statuses", "outcomes"),
    [
        ([201, 200], ["delivered", "delivered"]),
        ([400, 422], ["rejected", "rejected"]),
        ([404, 429], ["deferred", "deferred"]),
        ([500, 401], ["deferred", "deferred"]),
        ([201], ["unknown", "unknown"]),
    ],
)
def test_statuses_are_read_one_by_one(statuses, outcomes):
    body = json.dumps({"elements": [{"status": status} for status in statuses]}).encode()

    receipts = linkedin().outcomes(changes(linkedin(), [1, 2]), Response(200, body))

    assert [str(receipt.outcome) for receipt in receipts] == outcomes


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.ANSWERED),
        (400, Verdict.CONFIG),
        (413, Verdict.REFUSED),
        (401, Verdict.AUTH),
        (403, Verdict.AUTH),
        (404, Verdict.BUSY),
        (409, Verdict.BUSY),
        (423, Verdict.BUSY),
        (426, Verdict.CONFIG),
        (429, Verdict.BUSY),
        (500, Verdict.BROKEN),
    ],
)
def test_statuses_have_their_meaning(status, verdict):
    assert classify(Response(status)) is verdict


def test_the_segment_of_the_sync_is_made_once_and_waited_for(server, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:00")
    destination = linkedin(ad_account=512345678)

    outcomes, delivery = deliver(destination, changes(destination, [1]))
    assert outcomes == [("deferred", "http_404")]
    assert delivery.requests == destination.spec.attempts
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:03")
    assert deliver(destination, changes(destination, [1]))[0] == [DONE]

    ((id_, segment),) = server.held("linkedin", "segments").items()
    assert len(members(server, id_)) == 1
    assert {name: segment[name] for name in ("name", "account", "sourceSegmentId", "type")} == {
        "name": "vip_to_linkedin_segments",
        "account": "urn:li:sponsoredAccount:512345678",
        "sourceSegmentId": "vip_to_linkedin_segments",
        "type": "USER",
    }


def test_who_makes_it_second_takes_what_the_first_made(server, monkeypatch):
    """Both looked before either had made it."""
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:00")
    destination = linkedin(ad_account=1)
    deliver(destination, changes(destination, [1]))
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:03")
    server.plant("html", vendor="linkedin", path="dmpSegments$")  # hides the segment from the first look

    outcomes, _ = deliver(destination, changes(destination, [1]))

    assert outcomes == [DONE]
    assert len(server.held("linkedin", "segments")) == 1


@pytest.mark.parametrize("action", ["429", "500", "503", "reset", "drop_after_commit"])
def test_what_may_have_been_applied_is_sent_again(server, action):
    server.plant(action, vendor="linkedin", path="users")

    assert deliver(linkedin(), changes(linkedin(), [1, 2]))[0] == [DONE] * 2
    assert len(members(server)) == 2


@pytest.mark.parametrize(("status", "refusal"), [("401", "auth"), ("403", "auth"), ("426", "config")])
def test_a_refusal_of_the_look_for_the_segment_is_one_of_the_sync(server, status, refusal):
    server.plant(status, vendor="linkedin")
    destination = linkedin(ad_account=1)

    outcomes, delivery = deliver(destination, changes(destination, [1]))

    assert outcomes[0][0] == "deferred"
    assert delivery.refusal.startswith(refusal)


def test_an_old_version_stops_the_sync(server):
    destination = linkedin(segment_id=SEGMENT, version="202401")

    assert deliver(destination, changes(destination, [1]))[1].refusal == "config_http_426"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"segment_id": "1", "ad_account": "2"}, "give segment_id or ad_account"),
        ({"version": "202604"}, "give segment_id or ad_account"),
        ({"segment_id": "1", "version": "v2"}, r"options\.version"),
        ({"segment_id": "1", "batch_rows": 5_001}, r"options\.batch_rows"),
    ],
)
def test_a_bad_declaration_is_refused_in_a_line(options, said):
    with pytest.raises(BadDeclaration, match=said):
        linkedin(**options)


def test_names_alone_find_nobody():
    with pytest.raises(BadDeclaration, match="email or aaid"):
        linkedin("first_name", "last_name", segment_id="1")


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.delenv("LINKEDIN_ACCESS_TOKEN", raising=False)
    with pytest.raises(DestinationRefused, match="LINKEDIN_ACCESS_TOKEN"), linkedin().connect():
        pass


def test_how_many_were_recognised_is_told(server):
    destination = linkedin("email")
    deliver(destination, changes(destination, range(5)))

    with destination.connect() as send:
        assert destination.size(send(destination.read_back())) == 5
    assert destination.size(Response(200, b"{}")) is None

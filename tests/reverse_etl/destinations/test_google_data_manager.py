"""Customer Match through the Data Manager API, against a server that answers late, counts and points."""

import json

import pytest
from ad_people import DONE, change, changes, deliver, listened, spoilt, sync
from contact_line import account_at
from google_list import JOHN, LIST, ask, google, members

from reverse_etl.destination import DestinationRefused, Response
from reverse_etl.destinations.google_data_manager import Destination
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

# The hashes of the vectors, written down once more.
EMAIL = "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
FIRST = "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"
LAST = "799ef92a11af918e3fb741df42934f3b568ed2d93ac1df74f1b8d41a27932a6f"
UNPROCESSABLE = "0" * 8 + "a" * 56


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "google", monkeypatch)
    return desk


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
    assert outcomes[5][0] in {"rejected", "unknown"}  # an earlier request with it may have been applied
    assert deliver(destination, [rows[5]])[0] == [("rejected", "internal_error")]
    assert len(members(server)) == 7


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

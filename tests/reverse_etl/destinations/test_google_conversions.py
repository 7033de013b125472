"""Conversions for Google: a transaction counts once, what fails late is only counted."""

import json

import pytest
from ad_people import DONE, deliver, listened, sync

from reverse_etl.destination import Change
from reverse_etl.destinations.google_conversions import Destination
from reverse_etl.normalise import PlaintextRefused
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

ACTION = "55501"
# The vectors of normalise/vectors.yml, written down once more.
EMAIL = "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
NAMES = ("event_id", "event_time", "email", "phone", "gclid", "value", "currency")


def google(**options):
    options = {"operating_account": "123-456-7890", "conversion_action_id": ACTION, **options}
    return Destination(sync("google_conversions", *NAMES, options=options, mode="append_events"))


def conversion(number, when="2026-11-20T10:00:00Z", person=None, **fields):
    found = google().identify({"email": f"person{number}@example.com"} if person is None else person)
    event = {"event_id": f"order-{number}", "event_time": when, "value": 12.5, "currency": "EUR", **fields}
    return Change(f"op-{number}", "add", f"{number:032x}", found.identifiers, event)


@pytest.fixture
def server(desk, monkeypatch):
    monkeypatch.setenv("GOOGLE_URL", desk.url("google"))
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "sandbox")
    monkeypatch.setenv("CDP_NOW", "2026-11-20T12:00:00")
    return desk


def events(server):
    return server.held("google", f"events/{ACTION}")


def test_it_conforms(server):
    check(
        google(),
        holds=lambda change: change.fields["event_id"] in events(server),
        poison={"event_time": "never"},
        takes_back=False,
    )


def test_a_conversion_is_a_transaction_of_a_click_or_a_person():
    person = {"email": "cloudy.sanfrancisco+shopping@gmail.com", "phone": "+1 800 555 0100", "gclid": "Cj0K"}
    rows = [conversion(1, person=person), conversion(2, person={"gclid": "Cj1K"}, value="", event_source="IN_STORE")]
    request = google().request(rows)

    granted = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    assert request.path == "/v1/events:ingest"
    assert json.loads(request.body) == {
        "destinations": [
            {
                "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
                "productDestinationId": ACTION,
            }
        ],
        "events": [
            {
                "transactionId": "order-1",
                "eventTimestamp": "2026-11-20T10:00:00Z",
                "eventSource": "WEB",
                "conversionValue": 12.5,
                "currency": "EUR",
                "adIdentifiers": {"gclid": "Cj0K"},
                "userData": {"userIdentifiers": [{"emailAddress": EMAIL}, {"phoneNumber": PHONE}]},
            },
            {
                "transactionId": "order-2",
                "eventTimestamp": "2026-11-20T10:00:00Z",
                "eventSource": "IN_STORE",
                "currency": "EUR",
                "adIdentifiers": {"gclid": "Cj1K"},
            },
        ],
        "encoding": "HEX",
        "consent": granted,
    }


def test_nothing_readable_leaves(server):
    destination = google()
    with listened(destination) as sent:
        assert deliver(destination, [conversion(1)])[0] == [DONE]

    assert not any(b"person" in request.body or b"example" in request.body for request in sent)
    plain = Change("op", "add", "0" * 32, {"email": "mary@example.com"}, {"event_id": "1"})
    with pytest.raises(PlaintextRefused):
        destination.request([plain])


def test_a_transaction_told_twice_counts_once_and_is_done(server):
    rows = [conversion(1), conversion(2)]

    assert deliver(google(), rows)[0] == [DONE] * 2
    assert deliver(google(), [*rows, conversion(3)])[0] == [DONE] * 3
    assert set(events(server)) == {"order-1", "order-2", "order-3"}


@pytest.mark.parametrize("action", ["429", "500", "reset", "drop_after_commit"])
def test_a_lost_answer_makes_no_second_conversion(server, action):
    server.plant(action, vendor="google", path="ingest")

    assert deliver(google(), [conversion(1), conversion(2)])[0] == [DONE] * 2
    assert len(events(server)) == 2


def test_an_event_without_anybody_is_named_and_rejected(server):
    rows = [conversion(n) for n in range(6)]
    rows[2] = conversion(2, person={})

    outcomes, delivery = deliver(google(), rows)

    assert outcomes[2][0] == "rejected"
    assert outcomes[:2] + outcomes[3:] == [DONE] * 5
    assert delivery.requests == 4  # refused, taken, processing, done


def test_what_is_too_old_is_found_by_splitting(server):
    rows = [conversion(n) for n in range(6)]
    rows[5] = conversion(5, when="2026-01-01")

    outcomes, _ = deliver(google(), rows)

    assert outcomes[:5] == [DONE] * 5
    assert outcomes[5][0] in {"rejected", "unknown"}  # an earlier request with it may have been applied
    assert deliver(google(), [rows[5]])[0] == [("rejected", "event_too_old")]
    assert set(events(server)) == {f"order-{n}" for n in range(5)}


def test_when_all_are_too_old_none_is_split(server):
    outcomes, delivery = deliver(google(), [conversion(n, when="2026-01-01T00:00:00+02:00") for n in range(6)])

    assert outcomes == [("rejected", "event_too_old")] * 6
    assert delivery.requests == 3


def test_events_are_never_taken_back_and_need_consent_to_advertising():
    options = {"operating_account": "1", "conversion_action_id": "1"}
    with pytest.raises(BadDeclaration, match="mode: append_events"):
        Destination(sync("google_conversions", "event_id", options=options))
    with pytest.raises(BadDeclaration, match="purpose: advertising"):
        Destination(sync("google_conversions", "event_id", options=options, mode="append_events", purpose="analytics"))

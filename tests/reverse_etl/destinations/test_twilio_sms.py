"""Twilio: one text to one number, at most once, and the word of who doesn't want any."""

from urllib.parse import parse_qs

import pytest
from contact_line import account_at, change, deliver, destination_of, said

from reverse_etl.destination import Verdict
from reverse_etl.normalise import Reason
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

ANN = "+12025550101"
SENDER = {"from_number": "+15005550006"}


@pytest.fixture
def account(desk, monkeypatch):
    account_at(desk, "twilio", monkeypatch)
    return desk


def twilio(**options):
    return destination_of("twilio_sms", ("phone", "text"), mode="append_events", **(options or SENDER))


def message(phone=ANN, text="Your table is free"):
    return change(phone=phone, text=text)


def sent(desk):
    return [(m["to"], m["body"]) for m in desk.held("twilio", "messages").values()]


def test_it_conforms(account):
    there = lambda change: change.identifiers["phone"] in dict(sent(account))  # noqa: E731
    check(twilio(), holds=there, poison={"phone": "+15005550004"}, takes_back=False)


def test_a_text_to_a_number(account):
    assert deliver(twilio(), [message()]) == [("delivered", "")]
    assert sent(account) == [(ANN, "Your table is free")]


def test_what_it_sends_is_a_form():
    service = {"messaging_service_sid": "MG1", "validity_seconds": 600, "status_callback": "https://example.com/sms"}

    request = twilio(**service).request([message(text="20 % off & more")])

    assert (request.path, request.headers["content-type"]) == ("/Messages.json", "application/x-www-form-urlencoded")
    assert parse_qs(request.body.decode()) == {
        "To": [ANN],
        "MessagingServiceSid": ["MG1"],
        "Body": ["20 % off & more"],
        "ValidityPeriod": ["600"],
        "StatusCallback": ["https://example.com/sms"],
    }


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("+15005550001", "invalid_number"),
        ("+15005550002", "no_route"),
        ("+15005550003", "country_not_enabled"),
        ("+15005550004", "opted_out"),
        ("+15005550009", "no_mobile_number"),
    ],
)
def test_a_number_that_gets_nothing_is_rejected_with_the_reason(account, phone, code):
    assert deliver(twilio(), [message(phone)]) == [("rejected", code)]
    assert sent(account) == []


def test_who_answered_stop_is_rejected(account):
    with account.store("twilio") as store:
        store.put("opted_out", ANN, {})

    assert deliver(twilio(), [message()]) == [("rejected", "opted_out")]


@pytest.mark.parametrize("action", ["drop_after_commit", "reset", "500"])
def test_what_may_have_been_sent_is_not_sent_again(account, action):
    account.plant(action)

    (outcome,) = deliver(twilio(), [message()])

    assert outcome[0] == "unknown"
    assert len(account.log("twilio")) == 1
    assert (twilio().spec.is_set, twilio().spec.honours_operation_ids, twilio().spec.batch_rows) == (False, False, 1)


def test_a_busy_account_is_asked_later_and_a_sender_that_is_none_is_for_a_person(account, monkeypatch):
    account.plant("429")
    assert deliver(twilio(), [message()]) == [("deferred", "http_429")]
    assert deliver(twilio(from_number="+15005550007"), [message()]) == [("deferred", "http_400")]
    assert deliver(twilio(from_number="+15005550008"), [message()]) == [("deferred", "http_429")]
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "another")
    assert deliver(twilio(), [message()]) == [("deferred", "http_401")]
    assert sent(account) == []


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, {"code": 21610}, Verdict.ANSWERED),
        (400, {"code": 21606}, Verdict.CONFIG),
        (400, {"code": 29999}, Verdict.REFUSED),
        (401, {"code": 20003}, Verdict.AUTH),
        (429, {"code": 20429}, Verdict.BUSY),
        (400, b"<html>", Verdict.REFUSED),
    ],
)
def test_whose_fault_an_error_is(status, body, verdict):
    assert twilio().spec.classify(said(status, body)) is verdict


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"sid": "SM1", "status": "queued"}, ("delivered", "")),
        ({"sid": "SM1", "status": "failed", "error_code": 30_007}, ("rejected", "twilio_30007")),
    ],
)
def test_taken_is_not_the_same_as_answered(body, outcome):
    (receipt,) = twilio().outcomes([message()], said(201, body))

    assert (str(receipt.outcome), receipt.code) == outcome


@pytest.mark.parametrize("body", [b"[]", b'{"unexpected": true}', b"<html>"])
def test_nonsense_is_no_yes(body):
    with pytest.raises((ValueError, LookupError, TypeError)):
        twilio().outcomes([message()], said(200, body))


def test_a_number_is_made_e164_and_its_country_never_guessed():
    assert twilio().identify({"phone": "(202) 555-0101"}).dropped == {"phone": Reason.PHONE_COUNTRY_UNKNOWN}
    american = twilio(**SENDER, normalise={"default_country": "US"})
    assert american.identify({"phone": "(202) 555-0101"}).identifiers == {"phone": ANN}


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("mirror", SENDER, "append_events"),
        ("append_events", {}, "a from_number or a messaging_service_sid"),
        ("append_events", {**SENDER, "messaging_service_sid": "MG1"}, "and not both"),
        ("append_events", {**SENDER, "validity_seconds": 40_000}, "validity_seconds"),
    ],
)
def test_options_are_checked(mode, options, message):
    with pytest.raises(BadDeclaration, match=message):
        destination_of("twilio_sms", ("phone", "text"), mode=mode, **options)

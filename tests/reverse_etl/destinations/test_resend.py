"""Resend: one mail under one key, sent once however often it is asked for."""

import json

import pytest
from contact_line import account_at, change, deliver, destination_of, said

from reverse_etl.destination import Outcome, Verdict
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

FIELDS = ("email", "subject", "text", "html")
SENDER = {"from": "Shop <hello@shop.example>", "requests_per_second": 1_000}


@pytest.fixture
def account(desk, monkeypatch):
    account_at(desk, "resend", monkeypatch)
    return desk


def resend(**options):
    return destination_of("resend", FIELDS, mode="append_events", **(options or SENDER))


def mail(person=1, text="Hello", email=None):
    email = email or f"person{person}@example.com"
    return change(person=person, email=email, subject="A subject", text=text, html=f"<p>{text}</p>")


def sent(desk):
    return [(*m["to"], m["text"]) for m in desk.held("resend", "emails").values()]


def test_it_conforms(account):
    there = lambda change: (change.fields["email"], change.fields["text"]) in sent(account)  # noqa: E731
    check(resend(), holds=there, poison={"email": "person@undeliverable.example"}, takes_back=False)


def test_a_mail_to_an_address(account):
    assert deliver(resend(), [mail()]) == [("delivered", "")]
    assert sent(account) == [("person1@example.com", "Hello")]


def test_what_it_sends():
    request = resend(**SENDER, reply_to="help@shop.example").request([mail()])

    assert (request.path, request.headers["idempotency-key"]) == ("/emails", "add-1")
    assert json.loads(request.body) == {
        "from": "Shop <hello@shop.example>",
        "to": ["person1@example.com"],
        "reply_to": "help@shop.example",
        "subject": "A subject",
        "text": "Hello",
        "html": "<p>Hello</p>",
    }


def test_an_address_that_is_none_is_rejected_alone(account):
    assert deliver(resend(), [mail(email="person@undeliverable.example")]) == [("rejected", "http_422")]
    assert sent(account) == []


def test_an_answer_that_was_lost_is_asked_for_again_and_the_mail_sent_once(account):
    account.plant("drop_after_commit")

    assert deliver(resend(), [mail()]) == [("delivered", "")]
    assert len(sent(account)) == 1
    assert len(account.log("resend")) == 2


def test_a_key_that_was_used_with_another_text_says_that_the_mail_is_out(account):
    deliver(resend(), [mail(text="Hello")])

    assert deliver(resend(), [mail(text="Hello again")]) == [("delivered", "")]
    assert sent(account) == [("person1@example.com", "Hello")]


@pytest.mark.parametrize(
    ("status", "name", "verdict"),
    [
        (409, "invalid_idempotent_request", Verdict.ANSWERED),
        (409, "concurrent_idempotent_requests", Verdict.BROKEN),
        (422, "validation_error", Verdict.REFUSED),
        (422, "invalid_from_address", Verdict.AUTH),
        (403, "validation_error", Verdict.AUTH),
        (401, "missing_api_key", Verdict.AUTH),
        (429, "rate_limit_exceeded", Verdict.BUSY),
        (500, "application_error", Verdict.BROKEN),
    ],
)
def test_whose_fault_an_error_is(status, name, verdict):
    assert resend().spec.classify(said(status, {"name": name})) is verdict


def test_a_sender_who_is_not_verified_stops_everything_and_blames_nobody(account):
    [(outcome, _)] = deliver(resend(**{**SENDER, "from": "a@unverified.example"}), [mail()])
    assert outcome == Outcome.DEFERRED


@pytest.mark.parametrize(
    ("mode", "options", "word"),
    [
        ("mirror", SENDER, "append_events"),
        ("append_events", {"from": "nobody"}, "options.from"),
        ("append_events", {}, "from"),
    ],
)
def test_options_are_checked(mode, options, word):
    with pytest.raises(BadDeclaration, match=word):
        destination_of("resend", FIELDS, mode=mode, **options)

"""Slack: messages that can't be taken back, answers in words, and an address that is a secret."""

import json
import traceback

import pytest
from contact_line import account_at, change, deliver, destination_of, said

from reverse_etl.destination import DestinationRefused, Unreadable, Verdict
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check


@pytest.fixture
def account(desk, monkeypatch):
    account_at(desk, "slack", monkeypatch)
    return desk


def slack(**options):
    return destination_of("slack", ("order_id", "text"), mode="append_events", **options)


def message(n, text="hello"):
    return change(person=n, order_id=n, text=text)


def posted(desk):
    return [m["text"] for m in desk.held("slack", "messages").values()]


def test_it_conforms(account):
    there = lambda change: str(change.fields["text"]) in posted(account)  # noqa: E731
    check(slack(), holds=there, poison={"text": "x" * 50_000}, takes_back=False)


def test_a_message_for_every_row(account):
    assert deliver(slack(), [message(1, "one")]) == [("delivered", "")]
    assert deliver(slack(), [message(2, "two")]) == [("delivered", "")]
    assert posted(account) == ["one", "two"]
    assert slack().spec.batch_rows == 1


def test_a_digest_is_one_message(account):
    digest = slack(digest=10, title="Orders today")

    assert deliver(digest, [message(n, f"order {n}") for n in (1, 2)]) == [("delivered", "")] * 2
    assert posted(account) == ["Orders today\norder 1\norder 2"]
    assert digest.spec.batch_rows == 10


def test_a_value_mentions_nobody_unless_the_text_is_markup():
    text = "<!channel> R&D <https://example.com|here>"

    assert json.loads(slack().request([message(1, text)]).body) == {
        "text": "&lt;!channel&gt; R&amp;D &lt;https://example.com|here&gt;"
    }
    assert json.loads(slack(markup=True).request([message(1, text)]).body) == {"text": text}


@pytest.mark.parametrize("action", ["drop_after_commit", "reset", "500"])
def test_what_may_have_been_posted_is_not_posted_again(account, action):
    account.plant(action)

    (outcome,) = deliver(slack(), [message(1)])

    assert outcome[0] == "unknown"
    assert len(account.log("slack")) == 1
    assert (slack().spec.is_set, slack().spec.honours_operation_ids) == (False, False)


def test_a_busy_channel_is_asked_again_when_it_says(account):
    account.plant("429", seconds=1)

    assert deliver(slack(), [message(1)]) == [("delivered", "")]
    assert posted(account) == ["hello"]


def test_a_text_that_is_too_long_is_rejected_and_the_rest_of_the_digest_posted(account):
    outcomes = deliver(slack(digest=3), [message(1, "one"), message(2, "x" * 41_000), message(3, "three")])

    assert [outcome for outcome, _ in outcomes] == ["delivered", "rejected", "delivered"]


@pytest.mark.parametrize(("channel", "code"), [("gone", "http_404"), ("archived", "http_410"), ("closed", "http_403")])
def test_a_channel_that_takes_nothing_is_for_a_person(account, monkeypatch, channel, code):
    monkeypatch.setenv("SLACK_URL", f"{account.url('slack')}/services/T000/B000/{channel}")

    assert deliver(slack(), [message(1)]) == [("deferred", code)]


def test_slacks_words():
    verdicts = [(400, b"no_text"), (403, b"invalid_token"), (404, b"no_service"), (410, b"channel_is_archived")]
    assert [slack().spec.classify(said(*answer)) for answer in verdicts] == [
        Verdict.REFUSED,
        Verdict.AUTH,
        Verdict.CONFIG,
        Verdict.CONFIG,
    ]
    for body in (b"<html>", b"{}", b""):
        with pytest.raises(Unreadable):
            slack().outcomes([message(1)], said(200, body))


def test_its_address_is_a_secret_and_in_no_request(account, monkeypatch):
    request = slack().request([message(1)])
    assert (request.path, dict(request.headers)) == ("", {})
    monkeypatch.delenv("SLACK_URL")
    with pytest.raises(DestinationRefused, match="set SLACK_URL"), slack().connect():
        pass


def test_its_address_is_encrypted_and_quoted_nowhere(monkeypatch):
    monkeypatch.setenv("SLACK_URL", "http://hooks.example/services/T1/B1/secretword")

    with pytest.raises(DestinationRefused) as refused, slack().connect():
        pass

    shown = "".join(traceback.format_exception(refused.value))
    assert "https" in shown
    assert "secretword" not in shown


@pytest.mark.parametrize("mode", ["mirror", "upsert"])
def test_messages_are_events(mode):
    with pytest.raises(BadDeclaration, match="append_events"):
        destination_of("slack", ("order_id", "text"), mode=mode)

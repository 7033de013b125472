"""Whole syncs of messages: each once, never twice, also when an answer was lost."""

from contextlib import contextmanager

import pytest
from activation_town import sync_now
from contact_line import account_at

from reverse_etl.destinations import slack, twilio_sms
from reverse_etl.sync import Sync


@pytest.fixture
def account(desk, monkeypatch):
    for vendor in ("slack", "twilio"):
        account_at(desk, vendor, monkeypatch)
    return desk


def sync_to(destination, **further):
    declared = {"audience": "vip", "destination": destination, "purpose": "marketing", "channel": "email"}
    return Sync(**declared, mode="append_events", **further)


SLACK = sync_to("slack", fields={"profile_id": "customer"}, templates={"text": "{first_name} bought for {amount} €"})
TWILIO = sync_to(
    "twilio_sms",
    fields={"email": "phone"},  # the town has no numbers: its addresses are
    templates={"text": "Hello {first_name}"},
    options={"from_number": "+15005550006"},
)


def texts(desk, vendor):
    return [m.get("text") or m["body"] for m in desk.held(vendor, "messages").values()]


def test_a_row_is_a_message_once(warehouse, town, account):
    town.audience({"ann": {"amount": 3}, "bob": {"amount": 4}})
    town.consent("bob", None)
    sync_now(warehouse, slack.Destination(SLACK), SLACK)
    assert texts(account, "slack") == ["Ann bought for 3 €"]

    town.audience({"ann": {"amount": 5}, "cem": {"amount": 6}})
    sync_now(warehouse, slack.Destination(SLACK), SLACK)
    sync_now(warehouse, slack.Destination(SLACK), SLACK)

    assert texts(account, "slack") == ["Ann bought for 3 €", "Cem bought for 6 €"]


@pytest.mark.parametrize("action", ["drop_after_commit", "reset", "500"])
def test_a_message_whose_answer_was_lost_is_not_repeated_and_somebody_is_told(warehouse, town, account, action):
    town.audience(["ann"])
    account.plant(action)

    reports = [sync_now(warehouse, slack.Destination(SLACK), SLACK) for _ in range(3)]

    assert [report.outcomes for report in reports] == [{"add": {"unknown": 1}}, {"add": {"scrap": 1}}, {}]
    assert reports[1].reasons == {"may_have_arrived": 1}
    assert not any(report.duplicates_possible for report in reports)
    assert len(account.log("slack")) == 1


def test_a_person_may_risk_the_repeat(warehouse, town, account):
    town.audience(["ann"])
    account.plant("reset")
    for _ in range(2):
        sync_now(warehouse, slack.Destination(SLACK), SLACK)

    report = sync_now(warehouse, slack.Destination(SLACK), SLACK, kind="retry-rejected")

    assert report.outcomes == {"add": {"delivered": 1}}
    assert texts(account, "slack") == ["Ann bought for 1 €"]


def test_a_run_that_is_killed_after_it_sent_sends_nothing_twice(warehouse, town, account):
    town.audience(["ann", "bob"])

    with pytest.raises(KeyboardInterrupt):
        sync_now(warehouse, Killed(SLACK), SLACK)
    for _ in range(2):
        sync_now(warehouse, slack.Destination(SLACK), SLACK)

    assert sorted(texts(account, "slack")) == ["Ann bought for 1 €", "Bob bought for 1 €"]


class Killed(slack.Destination):
    """The process dies when the first message is out and its answer not yet read."""

    @contextmanager
    def connect(self):
        with super().connect() as send:

            def dying(request):
                send(request)
                raise KeyboardInterrupt

            yield dying


def test_a_message_that_was_certainly_not_sent_is_sent_by_the_next_run(warehouse, town, account):
    town.audience(["ann"])
    account.plant("429")

    outcomes = [sync_now(warehouse, slack.Destination(SLACK), SLACK).outcomes for _ in range(2)]

    assert outcomes == [{"add": {"deferred": 1}}, {"add": {"delivered": 1}}]
    assert texts(account, "slack") == ["Ann bought for 1 €"]


def test_two_messages_to_one_number_are_two(warehouse, town, account):
    number = "+1 202 555 0101"
    town.audience({"ann": {"email": number}, "bob": {"email": number}, "cem": {"email": "0171"}})

    report = sync_now(warehouse, twilio_sms.Destination(TWILIO), TWILIO)

    sent = account.held("twilio", "messages").values()
    assert sorted((m["to"], m["body"]) for m in sent) == [("+12025550101", "Hello Ann"), ("+12025550101", "Hello Bob")]
    assert report.outcomes["add"]["delivered"] == 2


def test_who_opted_out_is_rejected_once(warehouse, town, account):
    town.audience({"ann": {"email": "+15005550004"}})

    reports = [sync_now(warehouse, twilio_sms.Destination(TWILIO), TWILIO) for _ in range(2)]

    assert reports[0].reasons == {"opted_out": 1}
    assert len(account.log("twilio")) == 1

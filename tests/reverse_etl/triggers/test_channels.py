"""Every channel by its destination: mail and text to the person, a line to the team, a signed call to the website."""

import base64

import pytest
from contact_line import account_at
from trigger_town import Shared, checkout_trigger

from reverse_etl.triggers.cycle import run_cycle


@pytest.fixture
def town(town):
    town.person("ann", channels=("email", "sms", "onsite"), phone="+12025550101")
    town.event("ann")
    return town


def run(town, send):
    cycle = run_cycle(lambda: Shared(town.warehouse), [checkout_trigger(send=send)], lambda: town.now)
    assert cycle.dispatched.refused == {}
    assert [state for _, state, _ in town.outbox()] == ["sent"]


def test_a_mail(town, desk, monkeypatch):
    account_at(desk, "resend", monkeypatch)
    run(
        town,
        {"email": {"destination": "resend", "message": "abandoned_checkout", "options": {"from": "a@shop.example"}}},
    )

    [mail] = desk.held("resend", "emails").values()
    assert mail["to"] == ["ann@example.com"]
    assert "<p>Hello Ann,</p>" in mail["html"]


def test_a_text(town, desk, monkeypatch):
    account_at(desk, "twilio", monkeypatch)
    run(town, {"sms": {
        "destination": "twilio_sms", "message": "abandoned_checkout_sms", "options": {"from_number": "+15005550006"},
    }})  # fmt: skip

    [text] = desk.held("twilio", "messages").values()
    assert (text["to"], text["body"].startswith("Your cart is waiting")) == ("+12025550101", True)


def test_a_line_to_the_team(town, desk, monkeypatch):
    account_at(desk, "slack", monkeypatch)
    run(town, {"onsite": {"destination": "slack", "message": "abandoned_checkout_sms"}})

    assert len(desk.log("slack")) == 1


def test_a_signed_call_to_the_website(town, desk, monkeypatch):
    account_at(desk, "webhook", monkeypatch)
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("WEBHOOK_SECRET", "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode())
    account_at(desk, "webhook", monkeypatch)
    run(town, {"onsite": {"destination": "webhook", "message": "abandoned_checkout_sms"}})

    assert len(desk.log("webhook")) == 1


def test_who_agrees_to_no_channel_of_the_trigger_is_not_reached_by_another(town):
    town.consent("ann", is_granted=False, channel="onsite")
    run_cycle(
        lambda: Shared(town.warehouse),
        [checkout_trigger(send={"onsite": {"destination": "slack", "message": "abandoned_checkout_sms"}})],
        lambda: town.now,
    )
    assert town.outcomes() == {("ann", "c1"): "no_consent"}

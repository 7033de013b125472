"""From the event to the mail at the vendor: wait, look again, greet by name."""

from datetime import timedelta

import pytest
from contact_line import account_at
from trigger_town import Shared

from reverse_etl.triggers.cycle import run_cycle
from reverse_etl.triggers.trigger import find_trigger


@pytest.fixture
def vendors(desk, monkeypatch):
    account_at(desk, "resend", monkeypatch)
    account_at(desk, "twilio", monkeypatch)
    return desk


def cycle(town):
    trigger = find_trigger("abandoned_checkout").model_copy(update={"holdout": 0})
    return run_cycle(lambda: Shared(town.warehouse), [trigger], lambda: town.now)


def mails(vendors):
    return [(mail["to"], mail["subject"], mail["text"]) for mail in vendors.held("resend", "emails").values()]


def test_a_checkout_that_was_left_is_answered_after_half_an_hour(town, vendors):
    town.person("ann")
    town.insert("profiles.personal_offers", "ann", "10% off your order", "ANN10")
    town.event("ann", minutes_ago=0, amount=1048.49)

    cycle(town)
    assert mails(vendors) == []
    town.now += timedelta(minutes=31)
    cycle(town)

    [(to, subject, text)] = mails(vendors)
    assert (to, subject) == (["ann@example.com"], "Ann, your cart is waiting")
    assert "your cart of $1,048.49 is still here. 10% off your order, with the code ANN10:" in text
    assert town.outbox() == [("ann", "sent", None)]


def test_whoever_buys_meanwhile_hears_nothing(town, vendors):
    town.person("ann")
    town.event("ann")
    town.order("ann", minutes_ago=20)

    cycle(town)

    assert mails(vendors) == []
    assert town.outcomes() == {("ann", "c1"): "bought"}


def test_it_is_said_once_however_often_it_is_asked(town, vendors):
    town.person("ann")
    town.event("ann")
    town.event("ann", minutes_ago=50)

    for _ in range(3):
        cycle(town)
        town.now += timedelta(hours=1)

    assert len(mails(vendors)) == 1


def test_who_agreed_to_texts_only_gets_a_text(town, vendors):
    town.person("bob", channels=("sms",), phone="+12025550101")
    town.event("bob")

    cycle(town)

    [text] = vendors.held("twilio", "messages").values()
    assert text["to"] == "+12025550101"
    assert mails(vendors) == []


def test_at_night_it_waits_for_the_morning_of_the_person(town, vendors):
    town.person("cleo", zone="America/Los_Angeles")
    town.now = town.now.replace(hour=15)  # seven in the morning there
    town.event("cleo")

    cycle(town)
    assert mails(vendors) == []
    town.now = town.now.replace(hour=16, minute=1)
    cycle(town)

    assert len(mails(vendors)) == 1

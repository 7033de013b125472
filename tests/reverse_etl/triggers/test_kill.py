"""A real process, really killed while it sends; the next one sends the rest, and nothing twice."""

import os
import signal
import subprocess
import sys
import textwrap

import duckdb
import pytest
from contact_line import account_at
from trigger_town import NOON, TriggerTown, checkout_trigger

from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.warehouse import DuckDBWarehouse

PEOPLE = 25
WAYS = {
    "email": {"destination": "resend", "message": "abandoned_checkout",
              "options": {"from": "hello@shop.example", "requests_per_second": 1_000}},
    "sms": {"destination": "twilio_sms", "message": "abandoned_checkout_sms",
            "options": {"from_number": "+15005550006"}},
}  # fmt: skip
SUICIDE = textwrap.dedent(
    """
    import json, os, signal, sys
    from reverse_etl.destination import load_destination
    from reverse_etl.triggers import dispatch
    from reverse_etl.triggers.trigger import Trigger
    from reverse_etl.warehouse import open_warehouse

    fatal, moment = int(sys.argv[1]), sys.argv[2]
    sends = 0

    def load(sync):
        destination = load_destination(sync)
        asks, hears = destination.request, destination.outcomes

        def request(rows):  # the intent is written, nothing is sent
            global sends
            sends += 1
            if sends == fatal and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            return asks(rows)

        def outcomes(rows, response):  # sent and answered, but not recorded
            if sends == fatal and moment == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return hears(rows, response)

        destination.request, destination.outcomes = request, outcomes
        return destination

    trigger = Trigger.model_validate(json.loads(os.environ["TRIGGER"]))
    dispatch.dispatch(open_warehouse, [trigger], load=load)
    """
)


@pytest.fixture
def vendors(desk, monkeypatch):
    for vendor in ("resend", "twilio"):
        account_at(desk, vendor, monkeypatch)
    monkeypatch.setenv("CDP_NOW", NOON.isoformat())
    return desk


def opened():
    return DuckDBWarehouse(duckdb.connect(os.environ["CDP_WAREHOUSE"]))


def decided(channel):
    """A town whose outbox is full, and the trigger that filled it."""
    trigger = checkout_trigger(send={channel: WAYS[channel]})
    warehouse = opened()
    town = TriggerTown(warehouse)
    for person in range(PEOPLE):
        town.person(f"p{person}", channels=(channel,), phone=f"+1202555{person:04d}", first_name="Ann")
        town.event(f"p{person}")
    decide(warehouse, [trigger], NOON)
    warehouse.close()
    return trigger


def killed(trigger, at_send, moment):
    environment = {**os.environ, "TRIGGER": trigger.model_dump_json(by_alias=True)}
    done = subprocess.run([sys.executable, "-c", SUICIDE, str(at_send), moment], check=False, env=environment)
    assert done.returncode == -signal.SIGKILL


def settled(trigger):
    dispatch(opened, [trigger])
    warehouse = opened()
    states = dict(warehouse.execute("select state, count(*) from activation.outbox group by 1"))
    warehouse.close()
    return states


@pytest.mark.parametrize("moment", ["before", "after"])
def test_mails_under_keys_all_arrive_once(vendors, moment):
    trigger = decided("email")
    for at_send in (4, 13):
        killed(trigger, at_send, moment)

    assert settled(trigger) == {"sent": PEOPLE}
    addresses = [mail["to"][0] for mail in vendors.held("resend", "emails").values()]
    assert sorted(addresses) == sorted({f"p{person}@example.com" for person in range(PEOPLE)})


@pytest.mark.parametrize(("moment", "arrived"), [("before", PEOPLE - 1), ("after", PEOPLE)])
def test_texts_without_keys_arrive_at_most_once(vendors, moment, arrived):
    trigger = decided("sms")
    killed(trigger, 4, moment)

    assert settled(trigger) == {"sent": PEOPLE - 1, "may_have_arrived": 1}
    numbers = [text["to"] for text in vendors.held("twilio", "messages").values()]
    assert len(numbers) == len(set(numbers)) == arrived

"""Conversions for Meta: one event counts once, one wrong event refuses its request."""

import json
from datetime import UTC, datetime

import pytest
from ad_people import DONE, MARY, MARY_META, deliver, listened, sync

from reverse_etl.destination import Change, Outcome, Response
from reverse_etl.destinations.meta_conversions import Destination
from reverse_etl.normalise import PlaintextRefused
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

DATASET = "990000001"
NOW = "2026-11-20T12:00:00"
NAMES = ("event_id", "event_time", "email", "phone", "fbc", "value", "currency", "order_id", "event_name")


def meta(**options):
    options = {"dataset_id": DATASET, "action_source": "website", **options}
    return Destination(sync("meta_conversions", *NAMES, options=options, mode="append_events"))


def purchase(number, destination=None, when="2026-11-20T10:00:00Z", **fields):
    """Make the change an engine would: hashes and clicks find the person, the rest is the event."""
    person = {"email": f"Person{number}@Example.com"}
    found = (destination or meta()).identify(
        {**person, **{k: v for k, v in fields.items() if k in {*MARY, "fbc", "email"}}}
    )
    event = {"event_id": f"order-{number}", "event_time": when, "value": 12.5, "currency": "EUR"}
    event |= {name: value for name, value in fields.items() if name not in {*MARY, "fbc"}}
    return Change(f"op-{number}", "add", f"{number:032x}", found.identifiers, event)


@pytest.fixture
def server(desk, monkeypatch):
    monkeypatch.setenv("META_URL", f"{desk.url('meta')}/v25.0")
    monkeypatch.setenv("META_ACCESS_TOKEN", "sandbox")
    monkeypatch.setenv("CDP_NOW", NOW)
    return desk


def events(server):
    return server.held("meta", f"events/{DATASET}")


def test_it_conforms(server):
    check(
        meta(event_name="Lead"),
        holds=lambda change: f"Lead/{change.fields['event_id']}" in events(server),
        poison={"event_time": "never"},
        takes_back=False,
    )


def test_an_event_is_what_happened_and_hashes_of_whom():
    row = purchase(7, fbc="fb.1.1700000000000.abc", order_id="o-7", **MARY)
    request = meta(limited_data_use="california", test_event_code="TEST1").request([row])

    assert request.path == "/990000001/events"
    keys = {"em": "email", "ph": "phone", "fn": "first_name", "ln": "last_name", "zp": "zip", "country": "country"}
    assert json.loads(request.body) == {
        "data": [
            {
                "event_name": "Purchase",
                "event_id": "order-7",
                "event_time": int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()),
                "action_source": "website",
                "user_data": {
                    **{theirs: MARY_META[ours] for theirs, ours in keys.items()},
                    "fbc": "fb.1.1700000000000.abc",
                },
                "data_processing_options": ["LDU"],
                "data_processing_options_country": 1,
                "data_processing_options_state": 1000,
                "custom_data": {"value": 12.5, "currency": "EUR", "order_id": "o-7"},
            }
        ],
        "test_event_code": "TEST1",
    }


def test_columns_go_before_options_and_what_is_empty_is_left_out():
    row = purchase(1, event_name="Lead", action_source="phone_call", value=None, currency=None)

    event = json.loads(meta().request([row]).body)["data"][0]

    assert (event["event_name"], event["action_source"]) == ("Lead", "phone_call")
    assert "custom_data" not in event
    assert "data_processing_options" not in event


def test_a_click_alone_finds_somebody_and_nothing_finds_nobody():
    assert meta().identify({"fbc": "fb.1.1.x", "email": "n/a"}).identifiers == {"fbc": "fb.1.1.x"}
    assert meta().identify({"email": "n/a", "fbc": None}).identifiers == {}


def test_nothing_readable_leaves(server):
    destination = meta()
    with listened(destination) as sent:
        assert deliver(destination, [purchase(1, **MARY)])[0] == [DONE]

    assert not any(word in sent[0].body.lower() for word in (b"mary", b"example", b"987", b"brien"))
    plain = Change("op", "add", "0" * 32, {"email": "mary@example.com"}, {"event_id": "1", "event_time": NOW})
    with pytest.raises(PlaintextRefused):
        destination.request([plain])


def test_an_event_told_twice_counts_once(server):
    rows = [purchase(1), purchase(2)]

    assert deliver(meta(), rows)[0] == [DONE] * 2
    assert deliver(meta(), rows)[0] == [DONE] * 2

    assert {key: kept["received"] for key, kept in events(server).items()} == {
        "Purchase/order-1": 2,
        "Purchase/order-2": 2,
    }


@pytest.mark.parametrize("action", ["429", "500", "reset", "drop_after_commit"])
def test_a_lost_answer_makes_no_second_event(server, action):
    server.plant(action, vendor="meta")

    assert deliver(meta(), [purchase(1), purchase(2)])[0] == [DONE] * 2
    assert len(events(server)) == 2


def test_after_two_days_the_same_id_is_another_event(server, monkeypatch):
    deliver(meta(), [purchase(1)])
    monkeypatch.setenv("CDP_NOW", "2026-11-23T12:00:00")
    deliver(meta(), [purchase(1)])

    assert len(events(server)) == 2


def test_one_wrong_event_is_found_among_others(server):
    rows = [purchase(n) for n in range(12)]
    rows[4] = purchase(4, currency=None)

    outcomes, _ = deliver(meta(), rows)

    assert outcomes[4][0] == "rejected"
    assert outcomes[:4] + outcomes[5:] == [DONE] * 11
    assert len(events(server)) == 11


def test_events_that_are_too_old_are_told_by_the_clock_of_meta(server):
    rows = [purchase(n, when="2026-11-12T10:00:00" if n % 2 else "2026-11-19T10:00:00") for n in range(40)]

    outcomes, delivery = deliver(meta(), rows)

    assert [outcome for outcome, _ in outcomes] == ["delivered", "rejected"] * 20
    assert delivery.requests == 2
    in_a_shop = meta(action_source="physical_store")
    assert deliver(in_a_shop, rows)[0] == [DONE] * 40


def test_other_refusals_point_at_nobody():
    said = {"error": {"code": 100, "error_subcode": 2_804_019}}
    headers = {"date": "Fri, 20 Nov 2026 12:00:00 GMT"}

    assert meta().pointer([purchase(1)], Response(400, json.dumps(said).encode(), headers)) == []


def test_counts_are_compared():
    receipts = meta().outcomes([purchase(1), purchase(2)], Response(200, b'{"events_received": 1}'))

    assert [receipt.outcome for receipt in receipts] == [Outcome.UNKNOWN] * 2


def test_events_are_never_taken_back():
    with pytest.raises(BadDeclaration, match="mode: append_events"):
        Destination(sync("meta_conversions", "event_id", options={"dataset_id": "1"}))
    with pytest.raises(BadDeclaration, match=r"options\.batch_rows"):
        meta(batch_rows=1_001)


def test_the_server_refuses_more_than_a_thousand(server):
    outcomes, _ = deliver(meta(), [purchase(n) for n in range(1_001)])

    assert len(events(server)) == 1_001  # refused whole, sent in halves
    assert outcomes == [DONE] * 1_001


def test_a_wrong_dataset_stops_the_sync(server):
    assert deliver(meta(dataset_id="404"), [purchase(1)])[1].refusal.startswith("config")

"""Customer.io: a batch with a word on those that are wrong, then a segment."""

import json

import pytest
from contact_line import account_at, change, deliver, destination_of, everybody, said

from reverse_etl.destination import DestinationRefused
from reverse_etl.testing import check

FIELDS = ("external_id", "email", "created_at", "last_order_at", "bio")


@pytest.fixture
def customerio(desk, monkeypatch):
    account_at(desk, "customerio", monkeypatch)
    return destination_of("customerio", FIELDS, segment_id=7)


def person(n, operation="add", **fields):
    return change(operation, n, **{"external_id": f"u/{n}", **fields})


def in_segment(desk):
    return {key.split(":", 1)[1] for key in desk.held("customerio", "members/7")}


def test_it_conforms(customerio, desk):
    there = lambda change: change.identifiers["external_id"] in in_segment(desk)  # noqa: E731
    check(customerio, holds=there, poison={"external_id": "x" * 151})


def test_it_conforms_by_address(customerio, desk):
    by_address = destination_of("customerio", FIELDS, segment_id=7, find_by="email")
    there = lambda change: change.identifiers["email"] in in_segment(desk)  # noqa: E731
    check(by_address, holds=there, poison={"email": "no address"})


def test_what_it_sends_has_times_in_seconds():
    customerio = destination_of("customerio", FIELDS, segment_id=7, timestamps=["last_order_at"])
    row = person(1, email="Ann@Example.com", created_at="2023-11-14T22:13:20Z", last_order_at="2023-11-14", bio=None)

    request = customerio.request([row])

    assert request.path == "/api/v2/batch"
    assert json.loads(request.body) == {
        "batch": [
            {
                "type": "person",
                "action": "identify",
                "identifiers": {"id": "u/1"},
                "attributes": {
                    "email": "ann@example.com",
                    "created_at": 1_700_000_000,
                    "last_order_at": 1_699_920_000,
                    "bio": None,
                },
            }
        ]
    }


def test_the_second_step_and_removals_name_nobody_in_the_path():
    customerio = destination_of("customerio", FIELDS, segment_id=7, find_by="email")
    rows = [change(email="ann@example.com"), change(email="bob@example.com")]
    mixed = said(207, {"errors": [{"batch_index": 0, "reason": "invalid", "field": "attributes.email"}]})

    step = customerio.follow(rows, mixed).request
    leaving = customerio.request([change("remove", email="ann@example.com")])

    assert (step.path, json.loads(step.body)) == (
        "/api/v1/segments/7/add_customers?id_type=email",
        {"ids": ["bob@example.com"]},
    )
    assert leaving.path == "/api/v1/segments/7/remove_customers?id_type=email"


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        (said(200, {}, said(200, {})), ["delivered", "delivered"]),
        (said(200, {}, said(207, {"errors": [{"batch_index": 1, "reason": "invalid"}]})), ["delivered", "rejected"]),
        (said(200, {}), ["unknown", "unknown"]),
        (said(207, {"errors": [{"reason": "internal"}]}), ["unknown", "unknown"]),
    ],
)
def test_delivered_is_who_is_in_the_segment(answer, outcomes):
    customerio = destination_of("customerio", FIELDS, segment_id=7)

    assert [str(r.outcome) for r in customerio.outcomes([person(1), person(2)], answer)] == outcomes


def test_a_batch_has_500_kilobytes_and_a_person_32(customerio, desk):
    rows = [person(n, bio="x" * 900) for n in range(1_000)]
    rows[3] = person(3, **{f"f{n}": "x" * 900 for n in range(40)})
    rows[5] = person(5, bio="x" * 1_001)

    outcomes = deliver(customerio, rows)

    assert (outcomes[3], outcomes[5]) == (("rejected", "http_400"), ("rejected", "invalid"))
    assert sum(outcome == "delivered" for outcome, _ in outcomes) == len(in_segment(desk)) == 998


def test_a_lost_answer_at_either_step_leaves_one_member(customerio, desk):
    desk.plant("drop_after_commit", path="batch")
    desk.plant("drop_after_commit", path="add_customers")

    assert deliver(customerio, [person(1)]) == [("delivered", "")]
    assert in_segment(desk) == {"u/1"}


def test_a_missing_segment_and_a_wrong_key_are_for_a_person(customerio, monkeypatch):
    nowhere = destination_of("customerio", FIELDS, segment_id=404)
    assert deliver(nowhere, [person(1)]) == [("unknown", "http_404")]  # identified by now, and in no segment
    monkeypatch.setenv("CUSTOMERIO_API_KEY", "another")
    assert deliver(customerio, [person(1)]) == [("deferred", "http_401")]


def test_who_is_in_the_segment_is_told_by_the_other_api_under_its_own_key(customerio, monkeypatch):
    monkeypatch.setattr("reverse_etl.destinations.customerio.MOST_ON_A_PAGE", 3)
    deliver(customerio, [person(n) for n in range(7)])

    there, asked = everybody(customerio)

    assert sorted(there) == [f"u/{n}" for n in range(7)]
    assert len(asked) == 3
    monkeypatch.delenv("CUSTOMERIO_APP_API_KEY")
    assert deliver(customerio, [person(8)]) == [("delivered", "")]
    with pytest.raises(DestinationRefused, match="CUSTOMERIO_APP_API_KEY"):
        everybody(customerio)

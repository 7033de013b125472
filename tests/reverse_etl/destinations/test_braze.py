"""Braze: 75 objects, errors by place, and every attribute written is billed."""

import json
from dataclasses import replace

import pytest
from contact_line import account_at, change, deliver, destination_of, said

from reverse_etl.destination import Change, DestinationRefused
from reverse_etl.read_back import Reader
from reverse_etl.testing import check

FIELDS = ("external_id", "email", "first_name", "ltv")


@pytest.fixture
def braze(desk, monkeypatch):
    account_at(desk, "braze", monkeypatch)
    return destination_of("braze", FIELDS)


def person(n, operation="add", **fields):
    return change(operation, n, **{"external_id": f"u{n}", **fields})


def members(desk):
    return {key.removeprefix("external_id:") for key in desk.held("braze", "members/cdp_vip")}


def test_it_conforms(braze, desk):
    there = lambda change: change.identifiers["external_id"] in members(desk)  # noqa: E731
    check(braze, holds=there, poison={"external_id": "x" * 990})


def test_who_is_in_is_told_with_every_row_and_a_removal_creates_nobody():
    braze = destination_of("braze", FIELDS, attribute="vip", names={"ltv": "lifetime_value"})
    rows = [person(1, ltv=12, first_name=None), person(2, "change", ltv=7), person(3, "remove")]

    request = braze.request(rows)

    assert request.path == "/users/track"
    assert json.loads(request.body) == {
        "attributes": [
            {"external_id": "u1", "lifetime_value": 12, "first_name": None, "vip": True},
            {"external_id": "u2", "lifetime_value": 7, "vip": True},
            {"external_id": "u3", "vip": False, "_update_existing_only": True},
        ]
    }


def test_data_points_are_spent_on_what_changes_only(braze, desk):
    points = lambda: desk.held("braze", "counters")["data_points"]  # noqa: E731
    deliver(braze, [person(n, ltv=1, first_name="Ann") for n in range(10)])
    assert points() == 20  # the audience and ltv; names cost nothing
    deliver(braze, [person(3, "change", ltv=2, first_name="Ann")])
    assert points() == 21
    deliver(braze, [person(99, "remove")])
    assert points() == 21
    assert "external_id:u99" not in desk.held("braze", "users")


def test_of_a_change_only_what_changed_is_written():
    braze = destination_of("braze", (*FIELDS, "country"), names={"ltv": "lifetime_value"})
    row = person(1, "change", ltv=12, first_name="Ann", country="US")

    def written(*changed):
        return json.loads(braze.request([replace(row, changed=frozenset(changed))]).body)["attributes"][0]

    assert braze.spec.names_changes
    assert written("ltv") == {"external_id": "u1", "lifetime_value": 12}
    assert written("country") == {"external_id": "u1", "country": "US", "first_name": "Ann"}
    assert written("external_id") == {"external_id": "u1", "cdp_vip": True}  # an object must say something


def test_a_resync_brings_back_an_attribute_that_was_lost(braze, desk):
    deliver(braze, [person(1)])
    with desk.store("braze") as store:
        store.drop_all("members/cdp_vip")

    deliver(braze, [person(1, "change")])

    assert members(desk) == {"u1"}


def test_an_update_creates_nobody(desk, braze):
    updating = destination_of("braze", FIELDS, mode="update")

    assert deliver(updating, [person(1, "change")]) == [("delivered", "")]
    assert desk.held("braze", "users") == {}


def test_cleared_fields_are_null_there():
    row = Change("1", "change", "0", {"external_id": "u1"}, {"external_id": "u1"}, cleared=("ltv",))

    assert json.loads(destination_of("braze", FIELDS).request([row]).body)["attributes"][0]["ltv"] is None


def test_of_75_rows_each_row_has_its_own_word(braze, desk):
    with desk.store("braze") as store:
        store.put("blocked", "u5", {})
    rows = [person(n, email="none" if n == 7 else f"p{n}@example.com") for n in range(75)]
    rows[9] = change(person=9, external_id="x" * 990)

    outcomes = deliver(braze, rows)

    assert outcomes[5] == ("rejected", "blacklisted_external_user_id")
    assert outcomes[7] == ("delivered", "")  # an address that is none is left out, the person isn't
    assert outcomes[9] == ("rejected", "external_id_must_be_fewer_than_988_bytes")
    assert sum(outcome == "delivered" for outcome, _ in outcomes) == 73
    assert len(members(desk)) == 73


@pytest.mark.parametrize(
    "errors",
    [
        [{"type": "overloaded"}],
        [{"type": "x", "index": 2, "input_array": "attributes"}],
        [{"type": "x", "index": 0, "input_array": "attributes"}, {"type": "overloaded"}],
    ],
)
def test_an_error_without_a_place_leaves_all_unknown(errors):
    answer = said(201, {"message": "success", "attributes_processed": 1, "errors": errors})

    receipts = destination_of("braze", FIELDS).outcomes([person(1), person(2)], answer)

    assert [str(r.outcome) for r in receipts] == ["unknown"] * 2


def test_a_lost_answer_and_a_busy_account(braze, desk):
    desk.plant("drop_after_commit")
    desk.plant("429", seconds=3)

    assert deliver(braze, [person(1)]) == [("delivered", "")]
    assert members(desk) == {"u1"}
    with braze.connect() as send:
        desk.plant("429", seconds=3)
        assert send(braze.request([person(1)])).headers["retry-after"] == "3"


def test_a_fault_of_the_account_is_for_a_person(braze, monkeypatch):
    monkeypatch.setenv("BRAZE_API_KEY", "another")
    assert deliver(braze, [person(1)]) == [("deferred", "http_401")]
    monkeypatch.delenv("BRAZE_API_KEY")
    with pytest.raises(DestinationRefused, match="set BRAZE_API_KEY"), braze.connect():
        pass


@pytest.mark.parametrize(("find_by", "people", "requests"), [("external_id", 60, 2), ("email", 6, 6)])
def test_members_are_looked_up_by_key(desk, braze, find_by, people, requests):
    braze = destination_of("braze", FIELDS, find_by=find_by)
    key = "U{}" if find_by == "external_id" else "person{}@example.com"
    rows = [change(person=n, **{find_by: key.format(n)}) for n in range(people)]
    deliver(braze, rows[:-2])
    deliver(braze, [change("remove", 3, **{find_by: key.format(3)})])
    before = len(desk.log("braze"))

    with braze.connect() as send:
        found = list(Reader(braze, send).present([row.identifiers for row in rows]))

    assert {value for member in found for value in member.values()} == {
        key.format(n).lower() for n in range(people - 2) if n != 3
    }
    assert len(desk.log("braze")) - before == requests

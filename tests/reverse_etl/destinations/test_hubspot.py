"""HubSpot: contacts by e-mail address, a word on each, a list in a second step, and no trust in silence."""

import json

import pytest
from contact_line import account_at, change, deliver, destination_of, everybody, said

from reverse_etl.destination import Verdict
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

FIELDS = ("email", "first_name", "phone", "is_vip", "ltv")


@pytest.fixture
def hubspot(desk, monkeypatch):
    account_at(desk, "hubspot", monkeypatch)
    with desk.store("hubspot") as store:
        store.put_all("properties", {"ltv": {}, "is_vip": {}})
    return destination_of("hubspot", FIELDS, list_id="12")


def on_list(desk):
    return {member["email"] for member in desk.held("hubspot", "members/12").values()}


def test_it_conforms(hubspot, desk):
    there = lambda change: change.identifiers["email"] in on_list(desk)  # noqa: E731
    check(hubspot, holds=there, poison={"email": "no address"})


def test_what_it_sends_is_text_and_carries_a_trace():
    hubspot = destination_of("hubspot", FIELDS, list_id="12")
    row = change(email="ann@example.com", first_name="Ann", is_vip=True, ltv=None)

    request = hubspot.request([row])

    assert request.path == "/crm/v3/objects/contacts/batch/upsert"
    assert json.loads(request.body) == {
        "inputs": [
            {
                "idProperty": "email",
                "id": "ann@example.com",
                "objectWriteTraceId": "add-1",
                "properties": {"email": "ann@example.com", "firstname": "Ann", "is_vip": "true", "ltv": ""},
            }
        ]
    }


def test_a_number_as_external_id_is_text_in_its_own_property():
    hubspot = destination_of("hubspot", ("external_id",), list_id="12", external_id_property="customer_no")

    one = json.loads(hubspot.request([change(external_id=17)]).body)["inputs"][0]

    assert (one["idProperty"], one["id"], one["properties"]) == ("customer_no", "17", {"customer_no": "17"})


def test_the_second_step_lists_whom_the_first_wrote():
    hubspot = destination_of("hubspot", FIELDS, list_id="12")
    upserted = said(207, {"results": [{"id": 7, "objectWriteTraceId": "add-1"}], "errors": []})

    step = hubspot.follow([change(), change(person=2)], upserted).request

    assert (step.method, step.path) == ("PUT", "/crm/v3/lists/12/memberships/add-and-remove")
    assert json.loads(step.body) == {"recordIdsToAdd": ["7"], "recordIdsToRemove": []}
    read = hubspot.request([change("remove")])
    assert (read.path, json.loads(read.body)["inputs"]) == (
        "/crm/v3/objects/contacts/batch/read",
        [{"id": "person1@example.com"}],
    )
    found = said(200, {"results": [{"id": "7", "properties": {"email": "person1@example.com"}}]})
    assert json.loads(hubspot.follow([change("remove")], found).request.body)["recordIdsToRemove"] == ["7"]


LISTED = {"recordsIdsAdded": ["7"], "recordIdsRemoved": [], "recordIdsMissing": []}
WRITTEN = {"id": "7", "objectWriteTraceId": "add-1"}


def error(category, *traces):
    return {"status": "error", "category": category, "context": {"objectWriteTraceId": list(traces)}}


@pytest.mark.parametrize(
    ("first", "listed", "outcomes"),
    [
        ({"results": [WRITTEN], "errors": [error("VALIDATION_ERROR", "add-2")]}, LISTED, ["delivered", "rejected"]),
        ({"results": [WRITTEN], "errors": [error("INTERNAL_ERROR", "add-2")]}, LISTED, ["delivered", "unknown"]),
        ({"results": [WRITTEN], "errors": [error("VALIDATION_ERROR")]}, LISTED, ["delivered"]),
        ({"results": [WRITTEN]}, {**LISTED, "recordIdsMissing": ["7"]}, ["unknown"]),
        ({"results": [WRITTEN]}, None, ["unknown"]),
        ({"results": [], "errors": []}, None, []),
    ],
)
def test_only_who_was_written_and_listed_is_delivered(first, listed, outcomes):
    answer = said(200, listed, said(200, first)) if listed else said(200, first)

    receipts = destination_of("hubspot", FIELDS, list_id="12").outcomes([change(), change(person=2)], answer)

    assert [str(r.outcome) for r in receipts] == outcomes


def test_a_silent_success_is_no_success(hubspot, desk):
    with desk.store("hubspot") as store:
        store.put("faults", "silent", {})

    assert deliver(hubspot, [change(), change(person=2)]) == [("unknown", "not_mentioned")] * 2
    assert deliver(hubspot, [change(), change(person=2)]) == [("delivered", "")] * 2


def test_a_property_nobody_made_is_for_a_person_and_blames_no_row(hubspot):
    outcomes = deliver(hubspot, [change(email="ann@example.com", first_name="Ann", shoe_size=7), change(person=2)])

    assert outcomes == [("deferred", "http_400")] * 2


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (429, {"policyName": "TEN_SECONDLY_ROLLING"}, Verdict.BUSY),
        (429, {"policyName": "DAILY"}, Verdict.CONFIG),
        (423, {}, Verdict.BUSY),
        (477, {}, Verdict.BUSY),
        (403, {"category": "MISSING_SCOPES"}, Verdict.AUTH),
        (400, {"category": "VALIDATION_ERROR"}, Verdict.REFUSED),
    ],
)
def test_what_hubspots_refusals_mean(status, body, verdict):
    assert destination_of("hubspot", FIELDS, list_id="12").spec.classify(said(status, body)) is verdict


@pytest.mark.parametrize("path", ["upsert", "add-and-remove"])
def test_an_answer_lost_at_either_step_leaves_one_member(hubspot, desk, path):
    desk.plant("drop_after_commit", path=path)

    assert deliver(hubspot, [change(), change(person=2)]) == [("delivered", "")] * 2
    assert on_list(desk) == {"person1@example.com", "person2@example.com"}


def test_of_a_full_batch_only_the_twisted_one_is_rejected(hubspot, desk):
    rows = [change(person=n) for n in range(100)]
    rows[40] = change(person=40, email="twisted")

    outcomes = deliver(hubspot, rows)

    assert outcomes[40] == ("rejected", "validation_error")
    assert len(on_list(desk)) == 99


def test_who_is_on_the_list_is_read_by_record_id_and_then_by_name(hubspot, monkeypatch):
    deliver(hubspot, [change(person=n) for n in range(7)])
    monkeypatch.setattr("reverse_etl.destinations.hubspot.MOST_CONTACTS", 3)

    there, asked = everybody(hubspot)

    assert sorted(there) == [f"person{n}@example.com" for n in range(7)]
    assert [request.method for request in asked] == ["GET", "POST"] * 3
    assert not any("@" in request.path for request in asked)


def test_a_spent_day_stops_the_sync_and_a_spent_moment_does_not(hubspot, desk):
    with desk.store("hubspot") as store:
        store.put("limits", "DAILY", 3)
    assert deliver(hubspot, [change()]) == [("delivered", "")]
    assert deliver(hubspot, [change(person=2)]) == [("unknown", "http_429")]  # a contact, but not on the list
    assert deliver(hubspot, [change(person=2)]) == [("deferred", "http_429")]
    assert len(desk.log("hubspot")) == 5  # nobody asks again on a day that is spent

    with desk.store("hubspot") as store:
        store.drop_all("limits")
    desk.plant("429", times=2)
    assert deliver(hubspot, [change(person=2)]) == [("delivered", "")]


def test_who_can_only_upsert_does_not_promise_to_update():
    with pytest.raises(BadDeclaration, match="can't only update"):
        destination_of("hubspot", FIELDS, mode="update", list_id=12)


def test_the_list_is_named_by_its_number():
    with pytest.raises(BadDeclaration, match=r"options\.list_id"):
        destination_of("hubspot", FIELDS, list_id="VIP")

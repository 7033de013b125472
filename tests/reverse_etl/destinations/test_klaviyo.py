"""Klaviyo: import jobs that are polled, lists, and no word about consent."""

import json

import pytest
from contact_line import account_at, change, deliver, destination_of, everybody, said

from reverse_etl.destination import Verdict
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

FIELDS = ("email", "phone", "first_name", "city", "state", "ltv")


@pytest.fixture
def klaviyo(desk, monkeypatch):
    account_at(desk, "klaviyo", monkeypatch)
    return destination_of("klaviyo", FIELDS, list_id="VIP", poll_seconds=0)


def on_list(desk):
    return {member["email"] for member in desk.held("klaviyo", "members/VIP").values()}


def test_it_conforms(klaviyo, desk):
    there = lambda change: change.identifiers["email"] in on_list(desk)  # noqa: E731
    check(klaviyo, holds=there, poison={"email": "no address"})


def test_the_job_it_asks_for():
    row = change(email="ann@example.com", phone="+12025550101", first_name="Ann", city="Bonn", state="NW", ltv=None)
    request = destination_of("klaviyo", FIELDS, list_id="VIP").request([row])

    assert (request.method, request.path) == ("POST", "/profile-bulk-import-jobs")
    assert json.loads(request.body) == {
        "data": {
            "type": "profile-bulk-import-job",
            "attributes": {
                "profiles": {
                    "data": [
                        {
                            "type": "profile",
                            "attributes": {
                                "email": "ann@example.com",
                                "phone_number": "+12025550101",
                                "first_name": "Ann",
                                "location": {"city": "Bonn", "region": "NW"},
                                "properties": {"ltv": None},
                            },
                        }
                    ]
                }
            },
            "relationships": {"lists": {"data": [{"type": "list", "id": "VIP"}]}},
        }
    }


def test_a_number_that_is_none_is_left_out_and_not_the_person(klaviyo, desk):
    rows = [change(email="ann@example.com", phone="n/a"), change(person=2)]

    assert deliver(klaviyo, rows) == [("delivered", "")] * 2
    assert all("phone_number" not in p for p in desk.held("klaviyo", "profiles").values())


def test_nobody_is_subscribed_and_suppressions_stay(klaviyo, desk):
    with desk.store("klaviyo") as store:
        store.put("suppressions", "person1@example.com", {"reason": "USER_SUPPRESSED"})

    deliver(klaviyo, [change()])
    deliver(klaviyo, [change("remove")])

    assert desk.held("klaviyo", "suppressions")
    assert desk.held("klaviyo", "subscriptions") == {}
    assert not [r for r in desk.log("klaviyo") if "subscription" in r["path"] or "suppression" in r["path"]]


def test_a_pointer_names_the_row_and_the_rest_is_sent_without_it(klaviyo):
    rows = [change(), change(person=2, email="bob@example.com"), change(person=3)]
    errors = [{"code": "invalid", "source": {"pointer": "/data/attributes/profiles/data/1/attributes/email"}}]
    refusal = said(400, {"errors": [*errors, {"code": "invalid", "source": {"pointer": "/data"}}]})

    assert klaviyo.spec.classify(refusal) is Verdict.REFUSED
    assert klaviyo.pointer(rows, refusal) == [1]
    assert klaviyo.pointer(rows[:1], refusal) == []


def job(status, failed=0):
    attributes = {"status": status, "total_count": 2, "failed_count": failed}
    return said(200, {"data": {"type": "profile-bulk-import-job", "id": "J", "attributes": attributes}})


def test_a_job_is_polled_until_it_is_complete_then_its_errors_are_read_page_by_page():
    klaviyo = destination_of("klaviyo", FIELDS, list_id="VIP", poll_seconds=7)
    rows = [change(), change(person=2)]
    queued = job("queued")

    poll = klaviyo.follow(rows, queued)
    assert (poll.request.method, poll.request.path, poll.wait_seconds) == ("GET", "/profile-bulk-import-jobs/J", 7)
    assert klaviyo.follow(rows, said(200, job("complete").json(), queued)) is None

    complete = said(200, job("complete", failed=1).json(), queued)
    errors = klaviyo.follow(rows, complete).request
    assert errors.path == "/profile-bulk-import-jobs/J/import-errors?page%5Bsize%5D=100"
    next_page = {"data": [], "links": {"next": "https://elsewhere.example/?page%5Bcursor%5D=bzY"}}
    second = klaviyo.follow(rows, said(200, next_page, queued, complete)).request
    assert second.path == f"{errors.path}&page%5Bcursor%5D=bzY"


@pytest.mark.parametrize(
    ("errors", "outcomes"),
    [
        ([{"email": "person2@example.com"}], ["delivered", "rejected"]),
        ([{"id": None, "attributes": {"email": "person2@example.com"}}], ["delivered", "rejected"]),
        ([{"email": "somebody@else.example"}], ["unknown", "unknown"]),
    ],
)
def test_a_failure_that_names_nobody_leaves_all_unknown(errors, outcomes):
    rows = [change(), change(person=2)]
    said_errors = [{"attributes": {"code": "invalid", "original_payload": payload}} for payload in errors]
    answer = said(200, {"data": said_errors}, job("queued"), job("complete", failed=1))

    receipts = destination_of("klaviyo", FIELDS, list_id="VIP").outcomes(rows, answer)

    assert [str(r.outcome) for r in receipts] == outcomes


@pytest.mark.parametrize("status", ["queued", "processing", "cancelled"])
def test_a_job_that_did_not_complete_is_not_believed(status):
    receipts = destination_of("klaviyo", FIELDS, list_id="VIP").outcomes([change()], job(status))

    assert [(str(r.outcome), r.code) for r in receipts] == [("unknown", f"job_{status}")]


def test_removals_look_up_fifty_at_a_time_and_never_name_anybody_in_a_path(klaviyo, desk):
    people = [change(person=n) for n in range(120)]
    deliver(klaviyo, people)
    leaving = [change("remove", person=n) for n in range(119)]

    assert deliver(klaviyo, leaving) == [("delivered", "")] * 119
    assert on_list(desk) == {"person119@example.com"}
    assert [r["method"] for r in desk.log("klaviyo")][-4:] == ["GET", "GET", "GET", "DELETE"]
    assert "@" not in klaviyo.request(leaving).path


def test_a_removal_answered_by_somebody_else_is_not_done():
    klaviyo = destination_of("klaviyo", FIELDS, list_id="VIP")
    found = said(200, {"data": [{"type": "profile", "id": "01H"}]})

    receipts = [klaviyo.outcomes([change("remove")], said(status, b"<html>", found)) for status in (200, 204)]

    assert [[str(r.outcome) for r in each] for each in receipts] == [["unknown"], ["delivered"]]


def test_the_list_says_who_is_on_it_a_hundred_a_page(klaviyo, desk):
    deliver(klaviyo, [change(person=n) for n in range(207)])

    there, asked = everybody(klaviyo)

    assert sorted(there) == sorted(f"person{n}@example.com" for n in range(207))
    assert len(asked) == 3


def test_removing_creates_no_profile(klaviyo, desk):
    assert deliver(klaviyo, [change("remove")]) == [("delivered", "")]
    assert desk.held("klaviyo", "profiles") == {}


def test_a_job_whose_answer_is_lost_leaves_one_member(klaviyo, desk):
    desk.plant("drop_after_commit", path="import-jobs")

    assert deliver(klaviyo, [change()]) == [("delivered", "")]
    assert on_list(desk) == {"person1@example.com"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "options.list_id"),
        ({"list_id": "a/b"}, "options.list_id"),
        ({"list_id": "VIP", "list": "VIP"}, "options.list: "),
        ({"list_id": "VIP", "find_by": "ltv"}, "email or external_id or phone"),
        ({"list_id": "VIP", "find_by": "external_id"}, "email or external_id or phone"),
        ({"list_id": "VIP", "batch_rows": 20_000}, "options.batch_rows"),
        ({"list_id": "VIP", "revision": "latest"}, "options.revision"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(BadDeclaration, match=message):
        destination_of("klaviyo", FIELDS, **options)

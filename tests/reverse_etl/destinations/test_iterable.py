"""Iterable: lists, failures by reason, and nobody unsubscribed."""

import json

import pytest
from contact_line import account_at, change, deliver, destination_of, everybody, said

from reverse_etl.destination import Verdict
from reverse_etl.testing import check

FIELDS = ("email", "external_id", "first_name", "ltv")


@pytest.fixture
def iterable(desk, monkeypatch):
    account_at(desk, "iterable", monkeypatch)
    return destination_of("iterable", FIELDS, list_id=12)


def on_list(desk):
    return set(desk.held("iterable", "members/12"))


def test_it_conforms(iterable, desk):
    there = lambda change: change.identifiers["email"] in on_list(desk)  # noqa: E731
    check(iterable, holds=there, poison={"email": "no address"})


def test_it_conforms_by_user_id(iterable, desk):
    by_id = destination_of("iterable", FIELDS, list_id=12, find_by="external_id")
    there = lambda change: change.identifiers["external_id"] in on_list(desk)  # noqa: E731
    check(by_id, holds=there)


def test_what_it_sends():
    iterable = destination_of("iterable", FIELDS, list_id=12)
    row = change(email="ann@example.com", external_id=7, first_name="Ann", ltv=1.5)

    request = iterable.request([row])

    assert request.path == "/lists/subscribe"
    assert json.loads(request.body) == {
        "listId": 12,
        "subscribers": [
            {
                "email": "ann@example.com",
                "userId": "7",
                "dataFields": {"firstName": "Ann", "ltv": 1.5},
                "preferUserId": False,
            }
        ],
        "updateExistingUsersOnly": False,
    }


def test_to_leave_a_list_unsubscribes_nobody(iterable, desk):
    leaving = iterable.request([change("remove")])
    assert (leaving.path, json.loads(leaving.body)) == (
        "/lists/unsubscribe",
        {"listId": 12, "subscribers": [{"email": "person1@example.com"}], "channelUnsubscribe": False},
    )
    deliver(iterable, [change()])
    deliver(iterable, [change("remove")])
    assert on_list(desk) == set()
    assert desk.held("iterable", "channel_unsubscribed") == {}


def answered(count, **failed):
    return said(200, {"successCount": 0, "failCount": count, "failedUpdates": failed})


@pytest.mark.parametrize(
    ("operation", "answer", "outcomes"),
    [
        ("add", answered(1, invalidEmails=["PERSON2@example.com"]), [("delivered", ""), ("rejected", "invalidEmails")]),
        (
            "add",
            answered(1, forgottenEmails=["person1@example.com"]),
            [("rejected", "forgottenEmails"), ("delivered", "")],
        ),
        ("add", answered(1), [("unknown", "failures_not_named")] * 2),
        (
            "add",
            answered(2, conflictEmails=["person1@example.com"]),
            [("rejected", "conflictEmails"), ("unknown", "failures_not_named")],
        ),
        (
            "remove",
            answered(2, notFoundEmails=["person1@example.com"], forgottenEmails=["person2@example.com"]),
            [("delivered", "")] * 2,
        ),
        (
            "remove",
            answered(1, invalidEmails=["person1@example.com"]),
            [("rejected", "invalidEmails"), ("delivered", "")],
        ),
    ],
)
def test_failures_are_the_rows_they_name(operation, answer, outcomes):
    rows = [change(operation, 1), change(operation, 2)]

    receipts = destination_of("iterable", FIELDS, list_id=12).outcomes(rows, answer)

    assert [(str(r.outcome), r.code) for r in receipts] == outcomes


def test_a_value_of_another_type_spoils_its_row_only(iterable, desk):
    deliver(iterable, [change(email="ann@example.com", ltv=5)])

    rows = [change(person=1, email="ann@example.com", ltv="five"), change(person=2)]

    assert deliver(iterable, rows) == [("rejected", "invalidDataEmails"), ("delivered", "")]


def test_who_was_forgotten_is_not_created_again(iterable, desk):
    with desk.store("iterable") as store:
        store.put("forgotten", "person1@example.com", {})

    assert deliver(iterable, [change()]) == [("rejected", "forgottenEmails")]
    assert on_list(desk) == set()


def test_a_thousand_at_once_are_read_back_in_one_answer(iterable, desk):
    assert deliver(iterable, [change(person=n) for n in range(1_000)]) == [("delivered", "")] * 1_000

    there, asked = everybody(iterable)

    assert sorted(there) == sorted(f"person{n}@example.com" for n in range(1_000))
    assert len(asked) == 1


def test_an_update_creates_nobody(iterable, desk):
    deliver(iterable, [change()])
    updating = destination_of("iterable", FIELDS, mode="update", list_id=12)

    outcomes = deliver(updating, [change("change"), change("change", person=2)])

    assert outcomes == [("delivered", ""), ("rejected", "notFoundEmails")]
    assert set(desk.held("iterable", "users")) == {"person1@example.com"}


def test_a_list_nobody_made_is_for_a_person(iterable):
    destination = destination_of("iterable", FIELDS, list_id=404)

    assert deliver(destination, [change()]) == [("deferred", "http_400")]
    assert destination.spec.classify(said(400, {"code": "InvalidEmailAddressError"})) is Verdict.REFUSED


def test_a_lost_answer_leaves_one_member(iterable, desk):
    desk.plant("drop_after_commit")

    assert deliver(iterable, [change()]) == [("delivered", "")]
    assert on_list(desk) == {"person1@example.com"}

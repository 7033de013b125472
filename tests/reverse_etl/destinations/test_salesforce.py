"""Salesforce: a word on each of 200 records, sessions that end, and two ways to leave."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from contact_line import account_at, change, deliver, destination_of, everybody, said

from reverse_etl.destination import Verdict
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

FIELDS = ("external_id", "last_name", "email", "phone", "ltv")
NAMES = {"ltv": "Ltv__c"}


@pytest.fixture
def account(desk, monkeypatch):
    account_at(desk, "salesforce", monkeypatch)
    return desk


def salesforce(**options):
    return destination_of("salesforce", FIELDS, **{"member_field": "Vip__c", "names": NAMES, **options})


def person(n, operation="add", **fields):
    return change(operation, n, **{"external_id": f"u{n}", "last_name": f"Name{n}", **fields})


def flagged(desk, field="Vip__c"):
    return {
        desk.held("salesforce", "records")[id_]["External_Id__c"] for id_ in desk.held("salesforce", f"members/{field}")
    }


class Named:
    """Contacts need a last name; made-up people of the conformance suite have none."""

    def __init__(self, destination):
        self._destination = destination

    def __getattr__(self, name):
        return getattr(self._destination, name)

    def request(self, rows):
        request = self._destination.request(rows)
        body = json.loads(request.body)
        for record in body.get("records", []):
            record.setdefault("LastName", "Example")
        return type(request)(request.path, json.dumps(body).encode(), request.method, request.headers)


@pytest.mark.parametrize("on_removal", ["flag", "delete"])
def test_it_conforms(account, on_removal):
    there = lambda change: change.identifiers["external_id"] in flagged(account)  # noqa: E731
    destination = Named(salesforce(on_removal=on_removal))
    check(destination, holds=there, poison={"external_id": "u'7", "LastName": None})


def test_what_it_sends():
    request = salesforce().request([person(1, email="Ann@Example.com", phone="n/a", ltv=None)])

    assert (request.method, request.path) == (
        "PATCH",
        "/services/data/v60.0/composite/sobjects/Contact/External_Id__c",
    )
    assert json.loads(request.body) == {
        "allOrNone": False,
        "records": [
            {
                "attributes": {"type": "Contact"},
                "External_Id__c": "u1",
                "LastName": "Name1",
                "Email": "ann@example.com",
                "Ltv__c": None,
                "Vip__c": True,
            }
        ],
    }


def test_found_by_address_the_address_is_kept_as_such_too():
    by_address = salesforce(find_by="email", external_id_field="Address__c")

    (record,) = json.loads(by_address.request([change(email="ann@example.com")]).body)["records"]

    assert (record["Address__c"], record["Email"]) == ("ann@example.com",) * 2


def test_a_removal_asks_for_ids_in_a_body_with_quotes_that_cannot_escape():
    request = salesforce().request([change("remove", external_id="o'neil\\")])

    assert request.path == "/services/data/v60.0/composite"
    asked_for = json.loads(request.body)["compositeRequest"][0]["url"]
    assert parse_qs(urlsplit(asked_for).query)["q"] == [
        r"SELECT Id, External_Id__c FROM Contact WHERE External_Id__c IN ('o\'neil\\')"
    ]


def test_each_row_has_its_own_word(account):
    with account.store("salesforce") as store:
        store.put("locked", "u3", {})
    rows = [person(1), person(2, last_name=None), person(3), person(4, email="ann@example.com")]

    assert deliver(salesforce(), rows) == [
        ("delivered", ""),
        ("rejected", "required_field_missing"),
        ("deferred", "unable_to_lock_row"),
        ("delivered", ""),
    ]
    assert flagged(account) == {"u1", "u4"}


def test_leaving_unflags_or_deletes_and_never_creates(account):
    deliver(salesforce(), [person(n) for n in (1, 2, 3)])

    assert deliver(salesforce(), [person(1, "remove"), person(9, "remove")]) == [("delivered", "")] * 2
    assert (flagged(account), len(account.held("salesforce", "records"))) == ({"u2", "u3"}, 3)
    assert deliver(salesforce(on_removal="delete"), [person(2, "remove")]) == [("delivered", "")]
    assert len(account.held("salesforce", "records")) == 2


def test_a_session_that_ended_is_renewed_once(account):
    destination = salesforce()
    with destination.connect() as send:
        assert send(destination.request([person(1)])).status == 200
        with account.store("salesforce") as store:
            store.drop_all("sessions")
        assert send(destination.request([person(2)])).status == 200
        account.plant("401", times=3, path="composite")
        assert send(destination.request([person(3)])).status == 401
    assert [r["path"].rsplit("/", 1)[-1] for r in account.log("salesforce")].count("token") == 3


def test_without_a_session_nothing_was_sent(account, monkeypatch):
    account.plant("reset", path="token")
    assert deliver(salesforce(), [person(1)]) == [("delivered", "")]
    account.plant("500", path="token", times=5)
    assert deliver(salesforce(), [person(2)]) == [("deferred", "http_503")]
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "another")
    assert deliver(salesforce(), [person(2)]) == [("deferred", "http_401")]
    assert flagged(account) == {"u1"}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], Verdict.CONFIG),
        (400, [{"errorCode": "INVALID_FIELD"}], Verdict.CONFIG),
        (401, [{"errorCode": "INVALID_SESSION_ID"}], Verdict.AUTH),
        (500, [{"errorCode": "SERVER_TOO_BUSY"}], Verdict.BUSY),
        (500, b"<html>", Verdict.BROKEN),
        (200, [{"success": True}], Verdict.ANSWERED),
        (200, {"compositeResponse": [{"httpStatusCode": 400, "body": []}]}, Verdict.REFUSED),
    ],
)
def test_what_salesforces_answers_mean(status, body, verdict):
    assert salesforce().spec.classify(said(status, body)) is verdict


def test_one_answer_too_few_is_no_answer():
    with pytest.raises(ValueError, match="zip"):
        salesforce().outcomes([person(1), person(2)], said(200, [{"success": True}]))


def test_an_answer_lost_at_either_step_converges(account):
    account.plant("drop_after_commit", path="sobjects")
    assert deliver(salesforce(), [person(1)]) == [("delivered", "")]
    account.plant("drop_after_commit", path="sobjects")
    assert deliver(salesforce(on_removal="delete"), [person(1, "remove")]) == [("delivered", "")]
    assert account.held("salesforce", "records") == {}


def test_a_spent_day_is_for_a_person(account):
    account.plant("403", path="composite")

    assert deliver(salesforce(), [person(1)]) == [("deferred", "http_403")]
    assert len(account.log("salesforce")) == 2


def test_who_is_in_must_be_told():
    with pytest.raises(BadDeclaration, match="member_field, or say on_removal: delete"):
        salesforce(member_field="")


@pytest.mark.parametrize("options", [{}, {"member_field": "", "on_removal": "delete"}])
def test_who_is_there_is_told_page_by_page(account, monkeypatch, options):
    monkeypatch.setattr("reverse_etl.sandbox.vendors.salesforce.MOST_ON_A_PAGE", 3)
    destination = salesforce(**options)
    deliver(destination, [person(n) for n in range(7)])
    deliver(destination, [person(0, "remove")])

    there, asked = everybody(destination)

    assert sorted(there) == [f"u{n}" for n in range(1, 7)]
    assert len(asked) == 2

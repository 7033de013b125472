"""Mailchimp: batches of operations, archived answers, and nobody's status touched."""

import io
import json
import tarfile

import pytest
from contact_line import account_at, change, deliver, destination_of, everybody, said

from reverse_etl.destination import Response, Unreadable
from reverse_etl.normalise.hashing import mailchimp_subscriber_hash as hash_of
from reverse_etl.testing import check

FIELDS = ("email", "first_name", "lifetime_value")


@pytest.fixture
def account(desk, monkeypatch):
    account_at(desk, "mailchimp", monkeypatch)
    return desk


def mailchimp(**options):
    return destination_of("mailchimp", FIELDS, **{"list_id": "L1", "poll_seconds": 0, **options})


def members(desk):
    return {member["email_address"]: member for member in desk.held("mailchimp", "members/L1").values()}


def operations(request):
    return [
        {**one, "body": json.loads(one["body"])} if "body" in one else one
        for one in json.loads(request.body)["operations"]
    ]


def test_it_conforms(account):
    there = lambda change: change.identifiers["email"] in members(account)  # noqa: E731
    check(mailchimp(), holds=there, poison={"email": "ann@fake.example"})


def test_it_conforms_with_a_tag(account):
    there = lambda change: "vip" in members(account).get(change.identifiers["email"], {}).get("tags", [])  # noqa: E731
    check(mailchimp(tag="vip"), holds=there, poison={"email": "ann@fake.example"})


def test_what_it_sends():
    row = change(email="urist.mcvankab@freddiesjerky.com", first_name="Urist", lifetime_value=None)

    request = mailchimp(tag="vip").request([row])

    assert request.path == "/batches"
    assert operations(request) == [
        {
            "method": "PUT",
            "path": "/lists/L1/members/21621082ce08752982233c3c5cd5b836",
            "params": {"skip_merge_validation": "true"},
            "body": {
                "email_address": "urist.mcvankab@freddiesjerky.com",
                "status_if_new": "transactional",
                "merge_fields": {"FNAME": "Urist", "LIFETIME_V": ""},
                "tags": ["vip"],
            },
            "operation_id": "add-1",
        }
    ]


def test_to_leave_is_to_be_archived_or_untagged_and_never_deleted_for_good():
    leaving = [change("remove", email="ann@example.com")]
    member = f"/lists/L1/members/{hash_of('ann@example.com')}"

    assert operations(mailchimp().request(leaving)) == [
        {"method": "DELETE", "path": member, "operation_id": "remove-1"}
    ]
    assert operations(mailchimp(tag="vip").request(leaving)) == [
        {
            "method": "POST",
            "path": f"{member}/tags",
            "body": {"tags": [{"name": "vip", "status": "inactive"}]},
            "operation_id": "remove-1",
        }
    ]


def test_who_unsubscribed_stays_so(account):
    with account.store("mailchimp") as store:
        gone = {"email_address": "person1@example.com", "status": "unsubscribed", "merge_fields": {}, "tags": []}
        store.put("members/L1", hash_of("person1@example.com"), gone)

    deliver(mailchimp(status_if_new="subscribed"), [change(), change(person=2)])

    assert {email: member["status"] for email, member in members(account).items()} == {
        "person1@example.com": "unsubscribed",
        "person2@example.com": "subscribed",
    }


def test_states_no_call_can_leave_are_rejections(account):
    with account.store("mailchimp") as store:
        store.put("compliance", hash_of("person1@example.com"), {})
        store.put("forgotten", hash_of("person2@example.com"), {})

    assert deliver(mailchimp(), [change(person=n) for n in (1, 2, 3)]) == [
        ("rejected", "member_in_compliance_state"),
        ("rejected", "forgotten_email_not_subscribed"),
        ("delivered", ""),
    ]


def test_it_polls_then_fetches_without_the_key(account):
    assert deliver(mailchimp(), [change()]) == [("delivered", "")]

    paths = [entry["path"].removeprefix("/mailchimp") for entry in account.log("mailchimp")]
    assert paths == ["/batches", "/batches/b1", "/batches/b1", "/results/b1.tar.gz"]


def test_it_waits_between_looks_and_fetches_from_safe_places_only():
    made = said(200, {"id": "b1", "status": "pending"})
    destination = mailchimp(poll_seconds=9)

    assert destination.follow([change()], made).wait_seconds == 9
    place = {"id": "b1", "status": "finished", "response_body_url": "http://elsewhere.example/b1.tar.gz"}
    with pytest.raises(Unreadable):
        destination.follow([change()], said(200, place, made))


def archive(*answers):
    packed, file = io.BytesIO(), json.dumps(answers).encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("b1/b1.json")
        entry.size = len(file)
        tar.addfile(entry, io.BytesIO(file))
    return packed.getvalue()


FINISHED = said(200, {"id": "b1", "status": "finished"})


@pytest.mark.parametrize(
    ("operation", "status", "outcome"),
    [
        ("add", 200, ("delivered", "")),
        ("add", 400, ("rejected", "invalid_resource")),
        ("add", 404, ("rejected", "invalid_resource")),
        ("add", 429, ("deferred", "http_429")),
        ("add", 403, ("deferred", "http_403")),
        ("add", 500, ("unknown", "http_500")),
        ("remove", 204, ("delivered", "")),
        ("remove", 404, ("delivered", "")),
        ("remove", 405, ("delivered", "")),
    ],
)
def test_what_is_said_of_a_member(operation, status, outcome):
    row = change(operation)
    answer = {"status_code": status, "operation_id": row.operation_id, "response": '{"title": "Invalid Resource"}'}

    (receipt,) = mailchimp().outcomes([row], Response(200, archive(answer), earlier=(FINISHED,)))

    assert (str(receipt.outcome), receipt.code) == outcome


def test_an_archive_that_is_none_and_a_member_it_does_not_name():
    with pytest.raises(Unreadable):
        mailchimp().outcomes([change()], Response(200, b"<html>", earlier=(FINISHED,)))
    assert mailchimp().outcomes([change()], Response(200, archive(), earlier=(FINISHED,))) == []


@pytest.mark.parametrize("path", ["batches$", "batches/b", "results"])
def test_an_answer_lost_at_any_step_leaves_one_member(account, path):
    account.plant("drop_after_commit", path=path)

    assert deliver(mailchimp(), [change()]) == [("delivered", "")]
    assert set(members(account)) == {"person1@example.com"}


@pytest.mark.parametrize("tag", ["", "vip"])
def test_who_is_there_is_told_page_by_page_whatever_their_status(account, monkeypatch, tag):
    monkeypatch.setattr("reverse_etl.destinations.mailchimp.MOST_ON_A_PAGE", 3)
    destination = mailchimp(tag=tag)
    assert everybody(destination)[0] == []
    deliver(destination, [change(person=n) for n in range(7)])
    with account.store("mailchimp") as store:
        gone = {"email_address": "Other@Example.com", "status": "unsubscribed", "merge_fields": {}, "tags": ["vipper"]}
        store.put("members/L1", hash_of("other@example.com"), gone)

    there, asked = everybody(destination)

    others = [] if tag else ["other@example.com"]
    assert sorted(there) == sorted([f"person{n}@example.com" for n in range(7)] + others)
    assert len(asked) == (4 if tag else 3)

"""TikTok segments, against a server that says everything with 200 and takes all rows or none."""

import json

import httpx
import pytest
from ad_people import DONE, MARY_EMAIL, change, changes, deliver, listened, person, spoilt, sync
from contact_line import account_at

from reverse_etl.destination import DestinationRefused, Outcome, Response, Verdict
from reverse_etl.destinations.tiktok_audiences import Destination, classify
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

AUDIENCE = "1672000123"
NUMBER = "+1 (657) 777-0000"  # of normalise/vectors.yml
WITH_PLUS = "a6e82c2f4091baff57a4f33d01efb65bfbeacbbfbcfaa9d0ff9f57d28d78fedb"
WITHOUT = "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2"


def tiktok(audience=AUDIENCE, **options):
    options = {"advertiser_id": "7000000000000000001", "audience_id": audience, **options}
    return Destination(sync("tiktok_audiences", "email", "phone", options=options))


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "tiktok", monkeypatch)
    return desk


def members(server):
    return set(server.held("tiktok", f"members/{AUDIENCE}"))


def answer(code, status=200):
    return Response(status, json.dumps({"code": code, "message": "m", "data": {}}).encode())


def test_it_conforms(server):
    check(
        tiktok(),
        holds=lambda change: f"EMAIL_SHA256={change.identifiers['email']}" in members(server),
        poison={"email": "no-hash"},
    )


def test_columns_keep_their_places_when_somebody_lacks_an_identifier():
    destination = tiktok()
    rows = [
        change(destination, {"phone": NUMBER}),
        change(destination, {"email": "Mary+shop@example.com", "phone": NUMBER}),
        change(destination, {"email": "mary@example.com"}),
    ]

    email, phone = ({"id": id_, "audience_ids": [AUDIENCE]} for id_ in (MARY_EMAIL, WITH_PLUS))
    assert json.loads(destination.request(rows).body) == {
        "advertiser_ids": ["7000000000000000001"],
        "action": "add",
        "id_schema": ["EMAIL_SHA256", "PHONE_SHA256"],
        "batch_data": [[{}, phone], [email, phone], [email, {}]],
    }


def test_a_removal_says_exactly_what_was_added():
    destination = tiktok()
    added, removed = (
        json.loads(destination.request([change(destination, person(1, phone=NUMBER), operation)]).body)
        for operation in ("add", "remove")
    )

    assert removed == {**added, "action": "delete"}


def test_how_phones_are_written_is_a_setting():
    destination = tiktok(normalise={"tiktok_phone_plus": False})

    assert change(destination, {"phone": NUMBER}).identifiers == {"phone": WITHOUT}


def test_who_is_added_is_there_who_is_removed_is_gone(server):
    destination = tiktok()
    rows = [change(destination, person(1, phone=NUMBER)), *changes(destination, [2, 3])]

    assert deliver(destination, rows)[0] == [DONE] * 3
    assert deliver(destination, rows)[0] == [DONE] * 3
    assert len(members(server)) == 4
    leaving = [change(destination, person(1, phone=NUMBER), "remove"), *changes(destination, [3, 99], "remove")]
    assert deliver(destination, leaving)[0] == [DONE] * 3
    assert members(server) == {f"EMAIL_SHA256={changes(destination, [2])[0].identifiers['email']}"}


def test_nothing_readable_leaves(server):
    destination = tiktok()
    with listened(destination) as sent:
        deliver(destination, [change(destination, person(1, phone=NUMBER))])

    assert not any(word in sent[0].body.lower() for word in (b"person", b"example", b"657"))


def test_a_wrong_row_is_found_among_others(server):
    destination = tiktok()
    rows = changes(destination, range(16))
    rows[11] = spoilt(rows[11], email="plain@example.com")

    outcomes, delivery = deliver(destination, rows)

    assert outcomes[11][0] == "rejected"
    assert outcomes[:11] + outcomes[12:] == [DONE] * 15
    assert len(members(server)) == 15
    assert delivery.requests == 11  # one alone, then halved


def test_a_refusal_that_meets_every_row_is_one_of_the_request(server):
    destination = tiktok()
    server.plant(400, times=99, vendor="tiktok")

    outcomes, delivery = deliver(destination, changes(destination, range(16)))

    assert outcomes == [("deferred", "request_code_40002")] * 16
    assert (delivery.refusal, delivery.requests) == ("request_code_40002", 9)


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (answer(0), Verdict.ANSWERED),
        (answer(20_001), Verdict.REFUSED),
        (answer(40_002), Verdict.REFUSED),
        (answer(40_001), Verdict.CONFIG),
        (answer(40_999), Verdict.CONFIG),
        (answer(40_100), Verdict.BUSY),
        (answer(40_104), Verdict.AUTH),
        (answer(40_105), Verdict.AUTH),
        (answer(50_000), Verdict.BROKEN),
        (answer(50_002), Verdict.BROKEN),
        (Response(429), Verdict.BUSY),
        (Response(502, b"<html>"), Verdict.BROKEN),
    ],
)
def test_the_code_counts_not_the_status(response, verdict):
    assert classify(response) is verdict


def test_a_code_of_partial_success_is_no_yes():
    receipts = tiktok().outcomes(changes(tiktok(), [1]), answer(20_001))

    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [(Outcome.UNKNOWN, "code_20001")]


@pytest.mark.parametrize("action", ["429", "500", "503", "reset", "drop_after_commit"])
def test_what_may_have_been_applied_is_sent_again(server, action):
    server.plant(action, vendor="tiktok")

    assert deliver(tiktok(), changes(tiktok(), [1, 2]))[0] == [DONE] * 2
    assert len(members(server)) == 2


@pytest.mark.parametrize(("token", "audience", "refusal"), [("wrong", AUDIENCE, "auth"), ("sandbox", "404", "config")])
def test_who_must_act_is_not_a_row(server, monkeypatch, token, audience, refusal):
    monkeypatch.setenv("TIKTOK_ACCESS_TOKEN", token)

    outcomes, delivery = deliver(tiktok(audience), changes(tiktok(), range(4)))

    assert [outcome for outcome, _ in outcomes] == ["deferred"] * 4
    assert (delivery.requests, delivery.refusal.split("_")[0]) == (1, refusal)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.delenv("TIKTOK_ACCESS_TOKEN", raising=False)
    with pytest.raises(DestinationRefused, match="TIKTOK_ACCESS_TOKEN"), tiktok().connect():
        pass
    with pytest.raises(BadDeclaration, match=r"options\.audience_id"):
        tiktok("vip")


def test_the_server_refuses_what_tiktok_refuses(server):
    body = json.loads(tiktok().request(changes(tiktok(), [1])).body)

    def code(headers=None, **changed):
        url = f"{server.url('tiktok')}/open_api/v1.3/segment/mapping/"
        said = httpx.post(url, json={**body, **changed}, headers=headers or {"access-token": "sandbox"})
        assert said.status_code == 200
        return said.json()["code"]

    assert code() == 0
    assert code({"access-token": "Bearer sandbox"}) == 40_105
    assert code({"authorization": "sandbox"}) == 40_104
    assert code(batch_data=[body["batch_data"][0] * 2]) == 40_002
    assert code(batch_data=[[{}]]) == 40_002
    assert code(batch_data=body["batch_data"] * 10_001) == 40_002
    assert code(id_schema=["EMAIL"]) == 40_002
    assert code(action="replace") == 40_002


def test_the_server_makes_audiences_also_twice_of_a_name(server):
    def make(**body):
        url, headers = f"{server.url('tiktok')}/segment/audience/", {"access-token": "sandbox"}
        return httpx.post(url, json={"advertiser_id": "1", "action": "create", **body}, headers=headers).json()

    ids = [make(custom_audience_name="vip")["data"]["audience_id"] for _ in range(2)]
    assert len(set(ids)) == 2
    assert make()["code"] == 40_002
    assert make(action="delete", delete_audience_id=ids[0])["code"] == 0
    assert set(server.held("tiktok", "audiences")) == {ids[1]}


def test_how_many_were_recognised_is_told(server):
    destination = tiktok()
    deliver(destination, changes(destination, range(5)))

    with destination.connect() as send:
        assert destination.size(send(destination.read_back())) == 5
    assert destination.size(Response(200, b'{"code": 0, "data": {"list": [{}]}}')) is None

"""What a webhook sends, and what the inbox of the sandbox makes of it."""

import json
import socket

import httpx
import pytest
from activation_town import VIP
from vendor_desk import desk_of

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, Outcome, Response, Verdict
from reverse_etl.destinations.webhook import Destination
from reverse_etl.run import run_sync
from reverse_etl.sandbox.vendor import environment
from reverse_etl.sandbox.vendors.webhook import SECRET, Vendor, member_key
from reverse_etl.signature import signed
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.testing import check, sample

POISON = {"first_name": "x" * 2_001}


@pytest.fixture
def desk(cdp_home, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "127.0.0.0/8")
    with desk_of({"webhook": Vendor()}) as desk:
        yield desk


def webhook(desk=None, **options):
    options = {"url": f"{desk.url('webhook')}/in/vip" if desk else "", **options}
    return Destination(
        Sync(
            audience="vip",
            destination="webhook",
            purpose="marketing",
            channel="email",
            fields={"profile_id": "profile_id", "first_name": "first_name"},
            options=options,
        )
    )


def deliver(destination, changes, **options):
    with destination.connect() as transport:
        delivery = Delivery(destination, transport, float("inf"), sleep=lambda _: None, **options)
        return delivery.deliver(changes), delivery


def holds(desk):
    return lambda change: member_key(change.identifiers) in desk.held("webhook", "members/vip")


def post(desk, body, headers=None, path="/in/vip"):
    return httpx.post(f"{desk.url('webhook')}{path}", content=body, headers=headers or {})


def test_it_conforms(desk):
    check(webhook(desk), holds=holds(desk), poison=POISON)


def test_the_body_and_its_headers():
    destination = webhook(url="https://example.com/in?tenant=7")
    [change] = sample(destination, people=(1,), first_name="Ann")
    request = destination.request([change])

    who, what = {"profile_id": "profile_id-1"}, {"profile_id": "profile_id-1", "first_name": "Ann"}
    row = {"operation_id": change.operation_id, "operation": "add", "identifiers": who, "fields": what}
    assert json.loads(request.body) == {"sync": "vip_to_webhook", "rows": [row]}
    assert (request.method, request.path) == ("POST", "/in?tenant=7")


def test_the_same_rows_carry_the_same_idempotency_key():
    destination = webhook(url="https://example.com/in")
    first, again, other = (
        destination.request(sample(destination, people=people)).headers["idempotency-key"]
        for people in ((1, 2), (1, 2), (1, 3))
    )

    assert first == again != other


def test_one_bad_row_of_many_is_rejected_alone(desk):
    destination = webhook(desk)
    bad = sample(destination, people=(3,), **POISON)
    receipts, delivery = deliver(destination, [*sample(destination, people=(1, 2)), *bad])

    assert [r.outcome for r in receipts] == [Outcome.DELIVERED, Outcome.DELIVERED, Outcome.REJECTED]
    assert receipts[2].code == "value_too_long"
    assert delivery.requests == 1


def test_taken_but_never_answered_takes_effect_once(desk):
    destination = webhook(desk)
    desk.plant("drop_after_commit", vendor="webhook")

    receipts, delivery = deliver(destination, sample(destination))

    assert {r.outcome for r in receipts} == {Outcome.DELIVERED}
    assert delivery.requests == 2
    assert len(desk.held("webhook", "messages")) == 1
    assert len(desk.held("webhook", "operations")) == 3


def test_a_row_that_comes_again_in_another_message_is_not_done_again(desk):
    destination = webhook(desk)
    deliver(destination, sample(destination, people=(1, 2), first_name="Ann"))
    deliver(destination, sample(destination, "remove", people=(1,)))

    deliver(destination, sample(destination, people=(1,), first_name="Ann"))

    assert not any(map(holds(desk), sample(destination, people=(1,))))


def test_what_is_stale_altered_or_unsigned_is_refused(desk):
    body = b'{"rows": []}'
    headers = signed(SECRET, "m", 1_700_000_000, body)

    assert post(desk, body, headers).json() == {"error": "stale"}
    assert post(desk, body).json() == {"error": "unsigned"}
    assert post(desk, body).status_code == 401


def test_a_recorded_message_cannot_be_altered_or_used_twice(desk, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-01-01T00:00:00Z")
    destination = webhook(desk)
    request = destination.request(sample(destination))
    headers = {**request.headers, **signed(SECRET, request.headers["idempotency-key"], 1_767_225_600, request.body)}

    assert post(desk, request.body, headers).status_code == 200
    assert post(desk, request.body + b" ", headers).json() == {"error": "wrong_signature"}
    assert post(desk, request.body, headers).status_code == 200
    assert len(desk.held("webhook", "operations")) == 3

    monkeypatch.setenv("CDP_NOW", "2026-01-01T00:05:01Z")
    assert post(desk, request.body, headers).json() == {"error": "stale"}


def test_a_key_names_one_message(desk, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-01-01T00:00:00Z")
    answers = [
        post(desk, body, {"idempotency-key": "one", **signed(SECRET, "one", 1_767_225_600, body)})
        for body in (b'{"rows": [{"operation_id": "a", "operation": "merge"}]}', b'{"rows": [{"operation_id": "b"}]}')
    ]

    assert answers[0].json()["results"] == [{"operation_id": "a", "status": "rejected", "code": "unknown_operation"}]
    assert (answers[1].status_code, answers[1].json()) == (422, {"error": "key_reused"})


def test_an_inbox_that_is_closed_stops_the_sync(desk):
    httpx.delete(f"{desk.url('webhook')}/in/vip")

    receipts, delivery = deliver(webhook(desk), sample(webhook(desk)))

    assert {r.outcome for r in receipts} == {Outcome.DEFERRED}
    assert (delivery.refusal, delivery.requests) == ("config_http_410", 1)


def test_a_wrong_secret_is_for_a_person(desk, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "another-synthetic-secret")

    receipts, delivery = deliver(webhook(desk), sample(webhook(desk)))

    assert {r.outcome for r in receipts} == {Outcome.DEFERRED}
    assert delivery.refusal == "auth_http_401"


def test_while_a_secret_changes_messages_are_signed_with_both(desk, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", f"the-next-synthetic-secret {SECRET}")

    receipts, _ = deliver(webhook(desk), sample(webhook(desk)))

    assert {r.outcome for r in receipts} == {Outcome.DELIVERED}


@pytest.mark.parametrize(
    "secret", [None, "", "too short", "whsec_this-is-no-base64", "several words of a sentence are no secret"]
)
def test_without_a_usable_secret_nothing_is_sent(desk, monkeypatch, secret):
    monkeypatch.delenv("WEBHOOK_SECRET")
    if secret is not None:
        monkeypatch.setenv("WEBHOOK_SECRET", secret)

    with pytest.raises(DestinationRefused, match="set WEBHOOK_SECRET"), webhook(desk).connect():
        pass
    assert desk.log("webhook") == []


def test_loopback_is_refused_before_anything_is_sent_unless_it_is_allowed(desk, monkeypatch):
    monkeypatch.delenv("CDP_PRIVATE_NETWORKS")

    with pytest.raises(DestinationRefused, match="not a public address"), webhook(desk).connect():
        pass
    assert desk.log("webhook") == []


def test_a_name_that_means_a_private_address_is_refused(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("10.0.0.7", 443))])

    with pytest.raises(DestinationRefused, match="not a public address"), webhook(url="https://example.com/").connect():
        pass


def test_the_address_may_come_from_the_environment(desk, monkeypatch):
    monkeypatch.setenv("WEBHOOK_URL", f"{desk.url('webhook')}/in/vip")

    receipts, _ = deliver(webhook(), sample(webhook()))

    assert {r.outcome for r in receipts} == {Outcome.DELIVERED}


def test_the_variables_the_sandbox_says_are_all_that_a_whole_run_needs(cdp_home, town, warehouse, monkeypatch):
    sync = VIP.model_copy(update={"destination": "webhook"})
    with desk_of({"webhook": Vendor()}) as desk:
        for name, value in environment([Vendor()], desk.address)["webhook"].items():
            monkeypatch.setenv(name, value)
        town.audience(["ann", "bob", "cy"])
        run_sync(warehouse, sync, gate="ignored")
        town.consent("bob", is_granted=False)
        desk.plant("drop_after_commit", vendor="webhook")
        run_sync(warehouse, sync, gate="ignored", sleep=lambda _: None)

        assert list(desk.held("webhook", "members/audience")) == ["ann", "cy"]


@pytest.mark.parametrize("url", ["", "http://example.com/in", "ftp://example.com", "https://", "file:///etc/passwd"])
def test_only_encrypted_addresses_are_accepted(url):
    with pytest.raises(BadDeclaration, match="https"):
        webhook(url=url)


def test_gone_stops_the_sync_and_a_conflict_of_time_does_not():
    classify = webhook(url="https://example.com/in").spec.classify

    assert classify(Response(410)) is Verdict.CONFIG
    assert classify(Response(409, headers={"retry-after": "3"})) is Verdict.BUSY
    assert classify(Response(409)) is Verdict.REFUSED


def test_an_empty_yes_is_a_yes_and_a_wordy_one_is_not():
    destination = webhook(url="https://example.com/in")
    changes = sample(destination)

    assert {r.outcome for r in destination.outcomes(changes, Response(204))} == {Outcome.DELIVERED}
    with pytest.raises(LookupError):
        destination.outcomes(changes, Response(200, b'{"success": false}'))

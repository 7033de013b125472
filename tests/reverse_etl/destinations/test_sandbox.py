"""The sandbox: a faithful server, started on demand, with its state on disk."""

import json
import stat

import httpx
import pytest

from reverse_etl.deliver import Delivery
from reverse_etl.destinations.sandbox import Destination
from reverse_etl.read_back import Reader
from reverse_etl.sandbox.server import running
from reverse_etl.sync import Sync
from reverse_etl.testing import check, sample

SYNC = Sync(
    audience="vip",
    destination="sandbox",
    purpose="marketing",
    channel="email",
    fields={"email": "email", "first_name": "first_name"},
)
KEY = {"authorization": "Bearer sandbox"}


@pytest.fixture
def server(cdp_home):
    with running() as server:
        yield server


def members(server, audience="vip"):
    return httpx.get(f"{server.address}/__state").json()["audiences"].get(audience, {})


def plant(server, action, times=1, seconds=0.0):
    fault = {"action": action, "times": times, "seconds": seconds}
    assert httpx.post(f"{server.address}/__fault", json=fault).status_code == 200


def deliver(changes, **options):
    destination = Destination(SYNC.model_copy(update={"options": options}))
    with destination.connect() as transport:
        delivery = Delivery(destination, transport, float("inf"), sleep=lambda _: None)
        return [str(receipt.outcome) for receipt in delivery.deliver(changes)], delivery.requests


def test_it_conforms(server):
    destination = Destination(SYNC)
    there = lambda change: change.identifiers["email"] in members(server)  # noqa: E731
    check(destination, holds=there, poison={"email": "no address"})


@pytest.mark.parametrize("action", ["500", "html", "reset", "timeout", "drop_after_commit"])
def test_a_request_that_may_have_been_applied_is_applied_once(server, action):
    plant(server, action)
    changes = sample(Destination(SYNC))

    outcomes, requests = deliver(changes, timeout_seconds=5)

    if action == "html":  # an answer, but not one of this destination: left for the next run
        assert (outcomes, requests) == (["unknown"] * 3, 1)
        outcomes, _ = deliver(changes)
    assert outcomes == ["delivered"] * 3
    counts = httpx.get(f"{server.address}/__state").json()["operations"]
    assert counts["applied"] == 3
    assert counts["replayed"] == (3 if action == "drop_after_commit" else 0)


def test_a_client_that_waits_too_briefly_does_not_know(server):
    plant(server, "timeout", times=9, seconds=0.3)

    outcomes, requests = deliver(sample(Destination(SYNC)), timeout_seconds=0.05)

    assert outcomes == ["unknown"] * 3
    assert requests == Destination.spec.attempts


def test_a_busy_sandbox_is_asked_again(server):
    plant(server, "429", times=2)

    assert deliver(sample(Destination(SYNC))) == (["delivered"] * 3, 3)


def test_its_state_survives_the_server_and_belongs_to_its_owner(cdp_home):
    with running() as first:
        deliver(sample(Destination(SYNC)))
        assert len(members(first)) == 3
    with running() as second:
        assert len(members(second)) == 3
        httpx.post(f"{second.address}/__reset")
        assert members(second) == {}
    file = cdp_home / "sandbox" / "sandbox.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/audiences/vip/members", b"{}", {}, 401),
        ("/v1/audiences/vip/members", b"{}", KEY, 400),
        ("/v1/audiences/vip/members", b'{"rows": []}', KEY, 400),
        ("/v1/audiences/../members", b"{}", KEY, 404),
        ("/v1/audiences/vip/members", b"{}", {**KEY, "host": "evil.example"}, 404),
        ("/__fault", b'{"action": "earthquake"}', {}, 400),
    ],
)
def test_what_a_vendor_would_refuse_is_refused(server, path, body, headers, status):
    assert httpx.post(f"{server.address}{path}", content=body, headers=headers).status_code == status


def test_limits_are_enforced(server):
    rows = [{"operation_id": str(n), "operation": "put", "key": "a@b.co"} for n in range(10_001)]
    address = f"{server.address}/v1/audiences/vip/members"
    assert httpx.post(address, json={"rows": rows}, headers=KEY).status_code == 400
    assert httpx.post(address, content=b" " * 8_000_001, headers=KEY).status_code == 413


def test_every_row_has_its_own_result(server):
    rows = [
        {"operation_id": "1", "operation": "put", "key": "ann@example.com", "fields": {"n": 1}},
        {"operation_id": "2", "operation": "put", "key": "nobody", "fields": {}},
        {"operation_id": "3", "operation": "put", "key": "bob@example.com", "fields": {"n": {"deep": 1}}},
        {"operation_id": "4", "operation": "jump", "key": "bob@example.com"},
        {"operation_id": "5", "operation": "remove", "key": "cem@example.com"},
        {"operation_id": "6", "operation": "remove", "key": "ANN@example.com"},
        {"operation_id": "7", "operation": "put", "key": "ann@example.com", "fields": {"n": 2}},
    ]
    answer = httpx.post(
        f"{server.address}/v1/audiences/vip/members", content=json.dumps({"rows": rows}), headers=KEY
    ).json()

    assert [(r["status"], r["code"]) for r in answer["results"]] == [
        ("applied", ""),
        ("rejected", "invalid_email"),
        ("rejected", "nested_field"),
        ("rejected", "unknown_operation"),
        ("noop", ""),
        ("applied", ""),
        ("applied", ""),
    ]
    assert members(server) == {"ann@example.com": {"n": 2}}


def test_its_members_are_told_page_by_page(server, monkeypatch):
    monkeypatch.setattr("reverse_etl.sandbox.server.MOST_ON_A_PAGE", 2)
    deliver(sample(Destination(SYNC), people=range(5)))
    destination = Destination(SYNC)

    with destination.connect() as send:
        there = [member["email"] for member in Reader(destination, send).members()]

    assert there == [f"person{n}@example.com" for n in range(5)]
    assert httpx.get(f"{server.address}/v1/audiences/vip/members").status_code == 401

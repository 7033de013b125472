"""An endpoint of ours that verifies the signature, and what a webhook sends it."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, Outcome, Response, Verdict
from reverse_etl.destinations.webhook import Destination
from reverse_etl.signature import flaw
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.testing import check, sample

SECRET = "a-synthetic-secret"


class Endpoint(BaseHTTPRequestHandler):
    """Takes signed rows and answers for each of them."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if flaw(SECRET, {name.lower(): value for name, value in self.headers.items()}, body, time.time()):
            return self.answer(401, b"")
        self.server.keys.append(self.headers["idempotency-key"])
        results = [self.take(row) for row in json.loads(body)["rows"]]
        return self.answer(200, json.dumps({"results": results}).encode())

    def take(self, row):
        key = row["identifiers"]["profile_id"]
        if row["fields"].get("first_name") == "Poison":
            return {"operation_id": row["operation_id"], "status": "rejected", "code": "we do not like ann@example.com"}
        if row["operation"] == "remove":
            self.server.members.pop(key, None)
        else:
            self.server.members[key] = row["fields"]
        return {"operation_id": row["operation_id"], "status": "delivered"}

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def listening():
    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.members, server.keys = {}, []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def webhook(server=None, **options):
    options = {"url": f"http://127.0.0.1:{server.server_address[1]}/in" if server else "", **options}
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


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "127.0.0.0/8")
    with listening() as server:
        yield server


def test_it_conforms(server):
    there = lambda change: change.identifiers["profile_id"] in server.members  # noqa: E731
    check(webhook(server), holds=there, poison={"first_name": "Poison"})


def test_the_same_rows_carry_the_same_idempotency_key(server):
    destination = webhook(server)
    with destination.connect() as transport:
        for people in ((1, 2), (1, 2), (1, 3)):
            transport(destination.request(sample(destination, people=people)))

    assert server.keys[0] == server.keys[1] != server.keys[2]


def test_a_wrong_secret_is_for_a_person(server, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "another-synthetic-secret")
    destination = webhook(server)
    with destination.connect() as transport:
        delivery = Delivery(destination, transport, float("inf"))
        receipts = delivery.deliver(sample(destination))

    assert {r.outcome for r in receipts} == {Outcome.DEFERRED}
    assert delivery.refusal == "auth_http_401"


@pytest.mark.parametrize("secret", [None, "", "too short", "whsec_this-is-no-base64", "several words of a sentence"])
def test_without_a_usable_secret_nothing_is_sent(server, monkeypatch, secret):
    monkeypatch.delenv("WEBHOOK_SECRET")
    if secret is not None:
        monkeypatch.setenv("WEBHOOK_SECRET", secret)

    with pytest.raises(DestinationRefused, match="set WEBHOOK_SECRET"), webhook(server).connect():
        pass


@pytest.mark.parametrize("url", ["", "http://example.com/in", "ftp://example.com", "https://", "file:///etc/passwd"])
def test_only_encrypted_addresses_are_accepted(url):
    with pytest.raises(BadDeclaration, match="https"):
        webhook(url=url)


def test_an_empty_yes_is_a_yes_and_a_wordy_one_is_not():
    destination = webhook(url="https://example.com/in")
    changes = sample(destination)

    assert {r.outcome for r in destination.outcomes(changes, Response(204))} == {Outcome.DELIVERED}
    with pytest.raises(LookupError):
        destination.outcomes(changes, Response(200, b'{"success": false}'))


def test_while_a_secret_changes_messages_are_signed_with_both(server, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", f"the-next-synthetic-secret {SECRET}")
    destination = webhook(server)

    with destination.connect() as transport:
        assert transport(destination.request(sample(destination))).status == 200


def test_loopback_is_refused_before_anything_is_sent_unless_it_is_allowed(server, monkeypatch):
    monkeypatch.delenv("CDP_PRIVATE_NETWORKS")

    with pytest.raises(DestinationRefused, match="not a public address"), webhook(server).connect():
        pass


def test_a_name_that_means_a_private_address_is_refused(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("10.0.0.7", 443))])

    with pytest.raises(DestinationRefused, match="not a public address"), webhook(url="https://example.com/").connect():
        pass


def test_the_address_may_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("WEBHOOK_URL", f"http://127.0.0.1:{server.server_address[1]}/in?tenant=7")
    destination = webhook()

    assert destination.request(sample(destination)).path == "/in?tenant=7"
    with destination.connect() as transport:
        assert transport(destination.request(sample(destination))).status == 200


def test_gone_stops_the_sync_and_a_conflict_of_time_does_not():
    classify = webhook(url="https://example.com/in").spec.classify

    assert classify(Response(410)) is Verdict.CONFIG
    assert classify(Response(409, headers={"retry-after": "3"})) is Verdict.BUSY
    assert classify(Response(409)) is Verdict.REFUSED

"""An endpoint of ours that verifies the signature, and what a webhook sends it."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, Outcome, Response
from reverse_etl.destinations.webhook import Destination, signature
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.testing import check, sample

SECRET = "a synthetic secret"


class Endpoint(BaseHTTPRequestHandler):
    """Takes signed rows and answers for each of them."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        signed = dict(part.split("=") for part in self.headers["x-signature"].split(","))
        if signed["v1"] != signature(SECRET, int(signed["t"]), body):
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
    monkeypatch.setenv("WEBHOOK_SECRET", "another")
    destination = webhook(server)
    with destination.connect() as transport:
        delivery = Delivery(destination, transport, float("inf"))
        receipts = delivery.deliver(sample(destination))

    assert {r.outcome for r in receipts} == {Outcome.DEFERRED}
    assert delivery.refusal == "auth_http_401"


def test_without_a_secret_nothing_is_sent(server, monkeypatch):
    monkeypatch.delenv("WEBHOOK_SECRET")

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

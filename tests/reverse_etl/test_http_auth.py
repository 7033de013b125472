"""Who a request says it is from, by every kind of credentials."""

import base64
import hmac

import pytest
from declared_api import declared, sync_of
from vendor_desk import desk_of

from reverse_etl.destinations.http import Destination
from reverse_etl.sandbox.vendor import Answer
from reverse_etl.testing import sample


class Ear:
    name = "ear"

    def __init__(self):
        self.heard = {}

    def handle(self, request, _):
        self.heard = {**request.headers, "body": request.body}
        return Answer(204)


@pytest.fixture
def sent_with(cdp_home, monkeypatch):
    """What a request arrives with, by `auth`."""
    monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("API_USER", "cdp")
    monkeypatch.setenv("API_SECRET", "a-synthetic-secret")

    def send(auth):
        ear = Ear()
        with desk_of({"ear": ear}) as desk:
            destination = Destination(sync_of(declared(url=desk.url("ear"), auth=auth)))
            with destination.connect() as transport:
                assert transport(destination.request(sample(destination))).status == 204
        return ear.heard

    return send


def test_each_kind(sent_with):
    assert "authorization" not in sent_with("none")
    assert sent_with({"bearer": "API_SECRET"})["authorization"] == "Bearer a-synthetic-secret"
    basic = sent_with({"basic": {"user": "API_USER", "password": "API_SECRET"}})["authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"cdp:a-synthetic-secret"
    header = {"name": "x-api-key", "secret": "API_SECRET", "prefix": "Key "}
    assert sent_with({"header": header})["x-api-key"] == "Key a-synthetic-secret"


def test_signatures(sent_with, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-01-01T00:00:00Z")
    key = b"a-synthetic-secret"
    plain = sent_with({"hmac": {"secret": "API_SECRET", "header": "x-sig", "prefix": "sha256="}})
    assert plain["x-sig"] == "sha256=" + hmac.new(key, plain["body"], "sha256").hexdigest()
    timed = sent_with(
        {"hmac": {"secret": "API_SECRET", "header": "x-sig", "encoding": "base64", "moment_header": "x-at"}}
    )
    assert timed["x-at"] == "1767225600"
    assert base64.b64decode(timed["x-sig"]) == hmac.new(key, b"1767225600." + timed["body"], "sha256").digest()
    standard = sent_with({"standard_webhooks": "API_SECRET"})
    assert standard["webhook-signature"].startswith("v1,")


def test_secrets_may_stand_in_a_file(sent_with, monkeypatch, tmp_path):
    monkeypatch.delenv("API_SECRET")
    (tmp_path / "secrets").write_text("API_SECRET=from-a-file\n")
    monkeypatch.setenv("CDP_SECRETS", str(tmp_path / "secrets"))

    assert sent_with({"bearer": "API_SECRET"})["authorization"] == "Bearer from-a-file"

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlparse

import pytest

from sources.refusals import BadConfiguration, LoadFailed
from sources.source import load_source

CRM = load_source("crm")
TOKEN = "s3cret"


class Vendor(ThreadingHTTPServer):
    """A CRM on loopback: pages of two, a filter by change, and now and then too many requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.contacts, self.requests, self.refusals = [], [], {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/v3/"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlparse(self.path)
        asked = dict(parse_qsl(url.query))
        self.server.requests.append((time.monotonic(), asked))
        refusal = self.server.refusals.pop(len(self.server.requests), None)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(401, {"message": "jane.roe@example.org may not"})
        if refusal:
            return self.answer(429, {}, {"Retry-After": refusal})
        found = [c for c in self.server.contacts if c["property_lastmodifieddate"] >= asked["since"]]
        at = int(asked.get("after", 0))
        page = {"results": found[at : at + 2]}
        if at + 2 < len(found):
            page["paging"] = {"next": {"after": str(at + 2)}}
        return self.answer(200, page)

    def answer(self, status, body, headers=None):
        content = json.dumps(body).encode()
        self.send_response(status)
        headers = {"Content-Type": "application/json", "Content-Length": len(content), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def vendor(monkeypatch):
    with Vendor() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        configure(monkeypatch, server.address)
        yield server
        server.shutdown()
        thread.join()


def configure(monkeypatch, address):
    """What `.dlt/config.toml` would hold, and the one secret."""
    paging = {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"}
    client = {"base_url": address, "paginator": paging}
    contacts = {
        "path": "objects/contacts",
        "data_selector": "results",
        "params": {"since": "{incremental.start_value}"},
        "incremental": {"cursor_path": "property_lastmodifieddate", "initial_value": "2000-01-01T00:00:00Z"},
    }
    monkeypatch.setenv("SOURCES__CRM__ORIGIN", "api")
    monkeypatch.setenv("SOURCES__CRM__API__CLIENT", json.dumps(client))
    monkeypatch.setenv("SOURCES__CRM__API__TABLES", json.dumps({"contacts": contacts}))
    monkeypatch.setenv("SOURCES__CRM__API__TOKEN", TOKEN)


def contact(number, at="2017-01-01"):
    return {"id": number, "property_email": f"c{number}@example.org", "property_lastmodifieddate": f"{at}T00:00:00Z"}


def test_pages_are_followed_to_the_last_and_rows_numbered_through(town, vendor):
    vendor.contacts = [contact(number) for number in range(5)]
    assert town.load(CRM).rows == {"contacts": 5}
    assert [asked.get("after") for _, asked in vendor.requests] == [None, "2", "4"]
    assert town.rows("select id, _row_number from raw.crm__contacts order by id") == [(str(n), n + 1) for n in range(5)]


def test_too_many_requests_are_tried_again_when_the_vendor_says(town, vendor):
    vendor.contacts = [contact(number) for number in range(3)]
    vendor.refusals = {2: "1"}
    assert town.load(CRM).rows == {"contacts": 3}
    times = [at for at, _ in vendor.requests]
    assert len(times) == 3
    assert times[2] - times[1] >= 0.95


def test_the_next_load_asks_from_the_newest_on_and_keeps_only_what_it_has_not_seen(town, vendor):
    """The cursor is inclusive, so a row that shares the newest moment is not missed."""
    vendor.contacts = [contact(1), contact(2, "2017-01-02")]
    town.load(CRM)
    vendor.contacts += [contact(3, "2017-01-02"), contact(4, "2017-01-03")]
    assert town.load(CRM).rows == {"contacts": 2}
    assert vendor.requests[-1][1]["since"].startswith("2017-01-02")
    assert town.load(CRM).rows == {}
    assert town.rows("select count(*), count(distinct id) from raw.crm__contacts") == [(4, 4)]


def test_a_row_that_moves_to_the_next_page_while_reading_lands_once(town, vendor):
    vendor.contacts = [contact(1), contact(2), contact(2), contact(3)]
    assert town.load(CRM).rows == {"contacts": 3}
    assert town.rows("select sum(accepted_count) from raw.loads") == [(3,)]


def test_changes_of_shape_are_counted_over_all_pages(town, vendor):
    vendor.contacts = [contact(1), contact(2), {**contact(3), "tier": "gold"}]
    (change,) = town.load(CRM).noteworthy()
    assert change.sentence() == "contacts.tier: new in pages (1 rows)"


def test_a_refused_token_is_said_by_its_status_without_address_or_answer(town, vendor, monkeypatch):
    monkeypatch.setenv("SOURCES__CRM__API__TOKEN", "wrong")
    with pytest.raises(LoadFailed, match="crm: the step 'extract' failed: HTTPError 401") as failure:
        town.load(CRM)
    assert "jane" not in str(failure.value)
    assert "wrong" not in str(failure.value)


def test_an_interface_without_an_address_is_refused_with_the_setting_to_write(town, monkeypatch):
    monkeypatch.setenv("SOURCES__CRM__ORIGIN", "api")
    with pytest.raises(BadConfiguration, match=r"\[sources\.crm\.api\.client\] has no base_url"):
        town.load(CRM)

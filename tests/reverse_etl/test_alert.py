"""One notice per change of state and one on recovery, without a person in it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from activation_town import Remote, sync_now
from mail_server import mail_server

from reverse_etl.destination import DestinationRefused
from reverse_etl.run import SyncHeld


class Inbox(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.notices.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def inbox(monkeypatch):
    with HTTPServer(("127.0.0.1", 0), Inbox) as server:
        server.notices, server.status = [], 200
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        server.address = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setenv("CDP_ALERT_WEBHOOK", server.address)
        yield server
        server.shutdown()
        thread.join()


def refused(warehouse, remote):
    remote.moods = [401]
    with pytest.raises(DestinationRefused):
        sync_now(warehouse, remote)


def test_a_state_is_told_once_and_its_end_once(warehouse, town, inbox):
    town.audience(["ann"])
    remote = Remote()
    sync_now(warehouse, remote)
    assert inbox.notices == []
    town.audience(["ann", "bob"])
    for _ in range(3):
        refused(warehouse, remote)
    assert [n["state"] for n in inbox.notices] == ["failed"]
    assert "team:marketing must act" in inbox.notices[0]["line"]

    for _ in range(2):
        sync_now(warehouse, remote)

    assert [n["state"] for n in inbox.notices] == ["failed", "well"]
    assert inbox.notices[1]["was"] == "failed"


def test_held_and_rejecting_are_news_and_no_notice_names_a_person(warehouse, town, inbox):
    remote = Remote()
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    sync_now(warehouse, remote)
    town.audience([])
    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)

    assert [n["state"] for n in inbox.notices] == ["rejecting", "held"]
    assert "audiences.vip is empty" in inbox.notices[1]["reason"]
    said = json.dumps(inbox.notices)
    assert "@example" not in said
    assert "Poison" not in said


def test_why_a_plan_is_refused_is_told_without_a_value(warehouse, town, inbox):
    town.audience(["ann"])
    warehouse.execute("insert into audiences.vip values ('ann', 'secret@example.com', 'X', 1)")
    with pytest.raises(ValueError, match="repeat"):
        sync_now(warehouse, Remote())

    assert inbox.notices[0]["reason"].startswith("audiences.vip: 0 rows without profile_id, 1 rows that repeat")
    assert "secret" not in json.dumps(inbox.notices)


def test_a_notice_that_is_not_taken_is_tried_again_and_spoils_no_run(warehouse, town, inbox):
    town.audience({"bob": {"first_name": "Poison"}})
    inbox.status = 500
    remote = Remote()
    assert sync_now(warehouse, remote).state == "partial"
    inbox.status = 200
    sync_now(warehouse, remote)

    assert [n["state"] for n in inbox.notices] == ["rejecting", "rejecting"]


def test_slack_gets_a_line(warehouse, town, inbox, monkeypatch):
    monkeypatch.delenv("CDP_ALERT_WEBHOOK")
    monkeypatch.setenv("CDP_ALERT_SLACK", inbox.address)
    town.audience({"bob": {"first_name": "Poison"}})
    sync_now(warehouse, Remote())

    [notice] = inbox.notices
    assert notice["text"].startswith("vip_to_remote is rejecting")


@pytest.fixture
def post(monkeypatch):
    with mail_server() as server:
        monkeypatch.setenv("CDP_ALERT_EMAIL", "marketing@example.com")
        monkeypatch.setenv("CDP_ALERT_FROM", "cdp@example.com")
        monkeypatch.setenv("CDP_ALERT_SMTP", server.address)
        yield server


def test_a_mail_says_what_happened_and_who_must_act_and_one_that_it_is_over(warehouse, town, post):
    town.audience(["ann"])
    remote = Remote()
    for _ in range(2):
        refused(warehouse, remote)
    sync_now(warehouse, remote)

    failed, well = post.mails
    assert (failed["to"], failed["from"]) == ("marketing@example.com", "cdp@example.com")
    assert failed["subject"] == "vip_to_remote: failed"
    assert "team:marketing must act" in failed.get_payload()
    assert well["subject"] == "vip_to_remote: well"
    assert post.envelope[:2] == ["mail FROM:<cdp@example.com>", "rcpt TO:<marketing@example.com>"]


def test_a_mail_names_no_person(warehouse, town, post):
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    sync_now(warehouse, Remote())

    said = post.mails[0].as_string()
    assert "rejecting" in said
    assert "Poison" not in said
    assert "bob@" not in said


def test_a_mail_that_is_refused_is_tried_again_and_spoils_no_run(warehouse, town, post):
    town.audience({"bob": {"first_name": "Poison"}})
    post.refuses = True
    remote = Remote()
    assert sync_now(warehouse, remote).state == "partial"
    assert post.mails == []
    post.refuses = False
    sync_now(warehouse, remote)

    assert [mail["subject"] for mail in post.mails] == ["vip_to_remote: rejecting"]


def test_a_mail_server_that_is_away_spoils_no_run(warehouse, town, monkeypatch, caplog):
    monkeypatch.setenv("CDP_ALERT_EMAIL", "marketing@example.com")
    monkeypatch.setenv("CDP_ALERT_SMTP", "127.0.0.1:1")
    town.audience({"bob": {"first_name": "Poison"}})

    assert sync_now(warehouse, Remote()).state == "partial"
    assert "was not delivered: ConnectionRefusedError" in caplog.text
    assert warehouse.execute("select count(*) from activation.alerts") == [(0,)]


def test_two_ways_are_both_told(warehouse, town, post, inbox):
    town.audience({"bob": {"first_name": "Poison"}})
    sync_now(warehouse, Remote())

    assert (len(post.mails), len(inbox.notices)) == (1, 1)


def test_without_an_address_nothing_is_told_and_nothing_remembered(warehouse, town):
    town.audience({"bob": {"first_name": "Poison"}})
    sync_now(warehouse, Remote())

    assert warehouse.execute("select count(*) from activation.alerts") == [(0,)]

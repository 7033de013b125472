"""Many short lists at one address share a connection, and nothing else."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reverse_etl import http
from reverse_etl.destination import Request
from reverse_etl.kept_open import keeping_open


class Platform(ThreadingHTTPServer):
    """Counts connections, and sets a cookie that it wants to see again from nobody else."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.connections, self.cookies, self.keys = 0, [], []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def get_request(self):
        self.connections += 1
        return super().get_request()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.cookies.append(self.headers.get("cookie"))
        self.server.keys.append(self.headers.get("x-key"))
        self.send_response(200)
        self.send_header("set-cookie", f"who={self.headers.get('x-key')}")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def platform():
    with Platform() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def list_of(platform, key):
    with http.connect(platform.address, sign=lambda _: {"x-key": key}) as send:
        yield lambda: send(Request("/list", b"{}")).status


def test_lists_that_are_open_at_once_or_after_each_other_share_a_connection(platform):
    with keeping_open():
        with list_of(platform, "a") as first, list_of(platform, "b") as second:
            assert [first(), second(), first()] == [200] * 3
        with list_of(platform, "c") as third:
            assert third() == 200
    assert platform.connections == 1
    assert platform.keys == ["a", "b", "a", "c"]


def test_what_one_was_told_to_remember_no_other_says(platform):
    with keeping_open(), list_of(platform, "a") as first, list_of(platform, "b") as second:
        first()
        second()
        first()
    assert platform.cookies == [None, None, "who=a"]


def test_outside_of_the_block_each_has_its_own(platform):
    for key in "ab":
        with list_of(platform, key) as send:
            send()
    assert platform.connections == 2


def test_at_the_end_of_the_block_all_is_closed(platform):
    with keeping_open(), list_of(platform, "a") as send:
        send()
    with keeping_open(), list_of(platform, "a") as send:
        send()
    assert platform.connections == 2


def test_a_connection_that_the_platform_closed_meanwhile_is_opened_again(platform, monkeypatch):
    monkeypatch.setattr(Answering, "timeout", 0.05)
    with keeping_open(), list_of(platform, "a") as send:
        assert send() == 200
        time.sleep(0.3)
        assert send() == 200
    assert platform.connections == 2

"""The short way from the wire to the disk: taken by usual requests, left by the others, the same to both."""

import asyncio
import gzip
import json

import pytest
from door import TRACK, basic
from uvicorn.server import ServerState
from wire import Application, Socket, until

from sources.collector.protocol import Connection
from sources.collector.server import configured

HEAD = f"Host: x\r\nAuthorization: {basic()['authorization']}\r\n"


def request(body: bytes, path: str = "/v1/track", more: str = "", version: str = "1.1") -> bytes:
    return f"POST {path} HTTP/{version}\r\n{HEAD}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def event(identity: str, **fields) -> bytes:
    return json.dumps({**TRACK, "messageId": identity, **fields}).encode()


@pytest.fixture
def way():
    return "bytes"


@pytest.fixture
def talk(door):
    """Send packets over one connection, and return what came back once so many answers are there."""

    def send(*packets: bytes, answers: int = 1, before_the_end=lambda _connection: None) -> bytes:
        async def go() -> bytes:
            connection, socket = Connection(configured(Application(door.collector)), ServerState(), {}), Socket("::1")
            connection.connection_made(socket)
            for packet in packets:
                connection.data_received(packet)
            before_the_end(connection)
            await until(lambda: socket.written.count(b"HTTP/1.1 ") >= answers and connection.cycle.response_complete)
            return socket.written + (b" closed" if socket.is_closed else b"")

        return asyncio.run(go())

    return send


@pytest.fixture
def without_tasks(monkeypatch):
    """Whatever would go the long way fails."""
    monkeypatch.setattr(Connection, "_start_asgi_task", lambda *_: pytest.fail("a task"))


@pytest.mark.usefixtures("without_tasks")
@pytest.mark.parametrize(("path", "body"), [("/v1/track", b"%b"), ("/v1/t", b"%b"), ("/v1/batch", b'{"batch":[%b]}')])
def test_events_need_no_task(door, talk, path, body):
    assert talk(request(body % event("m1"), path)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert [line["messageId"] for line in door.lines()] == ["m1"]


@pytest.mark.usefixtures("without_tasks")
@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_a_request_may_come_in_packets_of_any_size(door, talk, size):
    whole = request(b'{"batch":[%b]}' % event("m1", properties={"long": "x" * 3000}), "/v1/batch")
    talk(*(whole[at : at + size] for at in range(0, len(whole), size)))
    assert [line["event"]["properties"]["long"] for line in door.lines()] == ["x" * 3000]


def test_a_request_in_a_pipe_waits_for_the_one_before(door, talk):
    bodies = [event(f"m{number}") for number in range(5)]
    said = talk(b"".join(map(request, bodies)), answers=5)
    assert said.count(b'{"success":true}') == 5
    assert [line["messageId"] for line in door.lines()] == [f"m{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        (request(event("m1"), more="Expect: 100-continue\r\n"), b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"),
        (request(event("m1"), "/v1/track?x=1"), b"HTTP/1.1 200"),
        (request(event("m1"), version="1.0"), b"HTTP/1.1 200"),
        (request(event("m1"), more="Connection: close\r\n"), b"HTTP/1.1 200"),
        (request(gzip.compress(event("m1"))), b"HTTP/1.1 200"),
        (request(b"{"), b"HTTP/1.1 400"),
        (request(event("m1").replace(b"{", b"{" + b" " * 1_100_000)), b"HTTP/1.1 413"),
    ],
)
def test_what_is_unusual_is_answered_too(talk, sent, begins):
    said = talk(sent, answers=begins.count(b"HTTP"))
    assert said.startswith(begins)
    assert said.endswith(b" closed") == (b"1.0\r\n" in sent or b"Connection: close" in sent or b"413" in begins)
    assert (b"connection: close" in said) == said.endswith(b" closed")


def test_a_page_of_another_origin_may_read_the_answer(talk):
    said = talk(request(event("m1"), more="Origin: https://shop.example\r\n"))
    assert b"access-control-allow-origin: https://shop.example\r\n" in said


def test_a_body_that_stops_goes_the_long_way_and_is_still_taken(door, talk):
    whole = request(event("m1"))

    def look(connection):
        connection.look(connection._since + 11)
        connection.data_received(whole[-9:])

    assert talk(whole[:-9], before_the_end=look).startswith(b"HTTP/1.1 200")
    assert [line["messageId"] for line in door.lines()] == ["m1"]


def test_a_client_that_is_gone_is_not_answered_and_its_event_counts(door, talk):
    said = talk(request(event("m1")), answers=0, before_the_end=lambda connection: connection.connection_lost(None))
    assert b"HTTP" not in said
    assert len(door.lines()) == 1
    assert door.collector.in_flight.bytes == 0


def test_a_shutdown_lets_the_answer_out_and_closes(talk):
    said = talk(request(event("m1")), before_the_end=lambda connection: connection.shutdown())
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b" closed")


def test_an_idle_connection_is_closed_after_its_time(talk):
    ages = {}

    def look(connection):
        for seconds in (70, 80):
            connection.look(connection._since + seconds)
            ages[seconds] = connection.transport.is_closed

    talk(request(b'{"batch":[]}', "/v1/batch"), before_the_end=look)  # answered at once: there is nothing to store
    assert ages == {70: False, 80: True}

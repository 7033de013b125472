"""Clients that are slow, endless or many: the others are served, and memory stays flat."""

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from door import KEY, TRACK, basic
from living import Living

from sources.collector.pressure import Bucket, Hold, InFlight
from sources.collector.refusal import Refusal

MB = 1 << 20
AUTHORIZED = f"Host: x\r\nAuthorization: {basic()['authorization']}\r\n"


@pytest.fixture(scope="module")
def living(tmp_path_factory):
    with Living(tmp_path_factory.mktemp("collector"), limits="seconds: 1, in_flight: 4000000") as running:
        yield running


@pytest.fixture
def connect(living):
    opened = []

    def make():
        opened.append(socket.create_connection(("127.0.0.1", living.port), timeout=10))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def answer_of(connection) -> bytes:
    """All until the server closes, or nothing more comes for a while."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
            if found.endswith(b"}"):
                break
    except (ConnectionResetError, BrokenPipeError):
        pass
    return found


def test_a_body_that_does_not_come_is_408(living, connect):
    slow = connect()
    slow.sendall(f'POST /v1/track HTTP/1.1\r\n{AUTHORIZED}Content-Length: 1000\r\n\r\n{{"event"'.encode())
    began = time.monotonic()
    assert living.post("/v1/track", {**TRACK, "messageId": "beside a slow one"}) == 200
    assert time.monotonic() - began < 1
    answer = answer_of(slow)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in answer


@pytest.mark.parametrize("sent", [b"", b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-A: b"])
def test_a_head_that_does_not_come_is_closed(connect, sent):
    slow = connect()
    slow.sendall(sent)
    assert answer_of(slow) == b""


def test_a_head_without_end_is_refused(connect):
    endless = connect()
    endless.sendall(b"GET /healthz HTTP/1.1\r\n" + b"X-A: " + b"b" * 30_000)
    endless.sendall(b"b" * 60_000)
    assert answer_of(endless).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("head", [b"\0\1\2\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_is_400(connect, head):
    broken = connect()
    broken.sendall(head)
    assert answer_of(broken).startswith(b"HTTP/1.1 400")


def test_a_chunked_body_is_read(living, connect):
    body = json.dumps({**TRACK, "messageId": "chunked"}).encode()
    client = connect()
    client.sendall(f"POST /v1/track HTTP/1.1\r\n{AUTHORIZED}Transfer-Encoding: chunked\r\n\r\n".encode())
    for part in (body[:10], body[10:]):
        time.sleep(0.05)
        client.sendall(b"%x\r\n%b\r\n" % (len(part), part))
    client.sendall(b"0\r\n\r\n")
    assert answer_of(client).startswith(b"HTTP/1.1 200")


def test_requests_may_be_pipelined(living, connect):
    client = connect()
    body = json.dumps({**TRACK, "messageId": "in a pipe"})
    request = f"POST /v1/track HTTP/1.1\r\n{AUTHORIZED}Content-Length: {len(body)}\r\n\r\n{body}"
    client.sendall(request.encode() * 3)
    found = b""
    while found.count(b"success") < 3:
        found += client.recv(65536)
    assert found.count(b"HTTP/1.1 200") == 3


def test_an_endless_body_is_refused_and_memory_stays_flat(living, connect):
    before = living.memory
    endless = connect()
    endless.sendall(f"POST /v1/batch HTTP/1.1\r\n{AUTHORIZED}Transfer-Encoding: chunked\r\n\r\n".encode())
    part = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sent = 0
    try:
        for _ in range(1600):
            endless.sendall(part)
            sent += len(part)
    except OSError:
        pass
    assert sent < 60 * MB
    assert living.memory - before < 20 * MB


def bombs_and_a_crowd(living, connect):
    """Forty bodies that unpack to 200 MB, and 120 that almost end; what a connection has read is its own."""
    bomb = gzip.compress(b'{"batch":[' + b" " * 200 * MB)
    with ThreadPoolExecutor(8) as clients:
        answers = clients.map(lambda _: living.ask("POST", "/v1/batch", bomb, basic())[0], range(40))
        assert set(answers) <= {413, 429}
    crowd = [connect() for _ in range(120)]
    head = f"POST /v1/batch HTTP/1.1\r\n{AUTHORIZED}Content-Length: 500000\r\n\r\n".encode()
    for one in crowd:
        one.sendall(head + b" " * 499_000)
    assert living.post("/v1/track", {**TRACK, "messageId": "beside a crowd"}) in (200, 429)
    answers = [answer_of(one) for one in crowd]
    assert {answer[9:12] for answer in answers} <= {b"408", b"429"}


def test_bombs_and_crowds_of_slow_bodies_leave_memory_flat(living, connect):
    """A crowd that stayed would be 57 MB each time; what is free is not always given back, hence the room."""
    bombs_and_a_crowd(living, connect)
    before = living.memory
    for _ in range(2):
        bombs_and_a_crowd(living, connect)
    assert living.memory - before < 40 * MB
    assert living.post("/v1/track", {**TRACK, "messageId": "after a crowd"}) == 200


def test_a_body_that_is_alone_may_be_larger_than_what_is_taken_at_once():
    in_flight = InFlight(10)
    first, second = Hold(in_flight), Hold(in_flight)
    first.take(20)
    with pytest.raises(Refusal) as refused:
        second.take(1)
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    first.release()
    second.take(8)
    assert in_flight.bytes == 8


def test_a_bucket_fills_again():
    now = [0.0]
    bucket = Bucket(10, lambda: now[0])
    bucket.check()
    bucket.took(150)
    with pytest.raises(Refusal) as refused:
        bucket.check()
    assert refused.value.retry_after == 6
    now[0] = 5.1
    bucket.check()


def test_a_silent_connection_is_left_alone_between_requests(living, connect):
    client = connect()
    request = f"GET /healthz HTTP/1.1\r\nHost: {KEY}\r\n\r\n".encode()
    for pause in (2.5, 0):
        client.sendall(request)
        assert answer_of(client).startswith(b"HTTP/1.1 200")
        time.sleep(pause)

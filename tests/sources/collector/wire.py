"""Sends a request to a connection as the bytes that a socket would bring, and reads its bytes back."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from http.client import HTTPResponse

import httpx
from uvicorn.server import ServerState

from sources.collector.app import Collector
from sources.collector.protocol import Connection
from sources.collector.server import configured


class Application:
    """What the server gives to uvicorn, without its chores."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def __call__(self, scope, receive, send) -> Awaitable[None]:
        return self.collector(scope, receive, send)


class Socket(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 4711)})
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.written)


class Wire(httpx.AsyncBaseTransport):
    """One connection for each request; `cut` splits its bytes into packets."""

    def __init__(self, collector: Collector, peer: str, cut: Callable[[bytes], list[bytes]] = lambda data: [data]):
        self.config = configured(Application(collector))
        self.peer = peer
        self.cut = cut

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        connection, socket = Connection(self.config, ServerState(), {}), Socket(self.peer)
        connection.connection_made(socket)
        for packet in self.cut(written(request.method, request, await request.aread())):
            connection.data_received(packet)
        await until(lambda: connection.cycle and connection.cycle.response_complete)
        answer = HTTPResponse(socket, method=request.method)
        answer.begin()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - nothing of the connection tells when it has answered
            await asyncio.sleep(0.0005)


def written(method: str, request: httpx.Request, body: bytes) -> bytes:
    """Return the request as HTTP/1.1."""
    head = b"".join(b"%b: %b\r\n" % pair for pair in request.headers.raw)
    if "transfer-encoding" in request.headers:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method.encode(), request.url.raw_path, head, body)

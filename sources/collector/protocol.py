"""uvicorn's connection with the bounds it lacks, and bodies handed over whole instead of by the packet.

Requests that bring events go the short way, `direct`, unless something about them is unusual.
"""

import time
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sources.collector.direct import PATHS, Direct

HEAD_BYTES = 64 * 1024
WHOLE_BYTES = 1024 * 1024  # a larger body is handed over in parts, and the application judges it
HELD_BYTES = 32 * 1024 * 1024  # of unfinished bodies of all connections; past it they are handed over as they are


class Connection(HttpToolsProtocol):
    """Closes a connection whose head comes too slowly or never ends; holds little of bodies that don't come whole."""

    cycle: Any  # uvicorn's, or ours
    seconds = 10.0  # for a head, and then for a body
    held = 0  # by all connections of this process
    _own = 0
    _head_bytes = 0
    _since = 0.0  # when the head began, or the answer ended
    _waits_for_head = True

    def connection_made(self, transport: Any) -> None:
        self._since = time.monotonic()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waits_for_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self._hold(len(data))
        else:
            self._head_bytes = 0
            self._let_go()

    def on_message_begin(self) -> None:
        """Begin without a scope: most requests need none."""
        self._since = time.monotonic()
        self._waits_for_head = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        self._waits_for_head = False
        if self._is_usual():
            self.cycle = Direct(self, PATHS[self.url], keep_alive=self.parser.should_keep_alive())
        else:
            self._go_the_long_way()

    def _is_usual(self) -> bool:
        return (
            self.url in PATHS
            and (self.cycle is None or self.cycle.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
        )

    def _go_the_long_way(self) -> None:
        """Make uvicorn's scope and task of what was read."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if isinstance(self.cycle, Direct):
            self.cycle.take()
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start no clock for each pause between two requests: `look` knows when the last answer ended."""
        self._since = time.monotonic()
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())

    def on_body(self, body: bytes) -> None:
        """Collect; the application is woken once, by the end of the message. What comes whole is never copied."""
        cycle = self.cycle
        if not cycle.response_complete:
            if not cycle.body:
                cycle.body = body
                return
            if type(cycle.body) is bytes:
                cycle.body = bytearray(cycle.body)
            cycle.body += body

    def _hold(self, size: int) -> None:
        self._own += size
        Connection.held += size
        if len(self.cycle.body) > WHOLE_BYTES or Connection.held > HELD_BYTES:
            self.hand_over()

    def hand_over(self) -> None:
        """Give the application what there is; it asks for more, or refuses."""
        self._let_go()
        if isinstance(self.cycle, Direct):
            begun, self.cycle = self.cycle, None
            self._go_the_long_way()
            self.cycle.body = bytearray(begun.body)
        self.flow.pause_reading()
        self.cycle.message_event.set()

    def _let_go(self) -> None:
        Connection.held -= self._own
        self._own = 0

    def look(self, now: float) -> None:
        """Close, or hand over, what its client began and doesn't go on with."""
        waited = now - self._since
        if waited < self.seconds or self.transport.is_closing():
            return
        if self._waits_for_head:
            self.transport.close()
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self.hand_over()
        elif waited > self.timeout_keep_alive and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()


def look_at(connections: Iterable[Any]) -> None:
    now = time.monotonic()
    for connection in list(connections):
        connection.look(now)

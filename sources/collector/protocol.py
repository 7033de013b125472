"""uvicorn's connection with the bounds it lacks, and bodies handed over whole instead of by the packet."""

import time
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
WHOLE_BYTES = 1024 * 1024  # a larger body is handed over in parts, and the application judges it
HELD_BYTES = 32 * 1024 * 1024  # of unfinished bodies of all connections; past it they are handed over as they are


class Connection(HttpToolsProtocol):
    """Closes a connection whose head comes too slowly or never ends; holds little of bodies that don't come whole."""

    seconds = 10.0  # for a head, and then for a body
    held = 0  # by all connections of this process
    _own = 0
    _head_bytes = 0
    _since = 0.0

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
        self._since = time.monotonic()
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Collect; the application is woken once, by the end of the message."""
        if not self.cycle.response_complete:
            self.cycle.body += body

    def _hold(self, size: int) -> None:
        self._own += size
        Connection.held += size
        if len(self.cycle.body) > WHOLE_BYTES or Connection.held > HELD_BYTES:
            self.hand_over()

    def hand_over(self) -> None:
        """Give the application what there is; it asks for more, or refuses."""
        self._let_go()
        self.flow.pause_reading()
        self.cycle.message_event.set()

    def _let_go(self) -> None:
        Connection.held -= self._own
        self._own = 0

    @property
    def _waits_for_head(self) -> bool:
        scope: Any = self.scope
        return scope is None or "path" not in scope

    def look(self, now: float) -> None:
        """Close, or hand over, what its client began and doesn't go on with."""
        if now - self._since < self.seconds or self.transport.is_closing():
            return
        if self._waits_for_head:
            self.transport.close()
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self.hand_over()


def look_at(connections: Iterable[Any]) -> None:
    now = time.monotonic()
    for connection in list(connections):
        connection.look(now)

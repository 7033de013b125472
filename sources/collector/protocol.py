"""uvicorn's connection with the bounds it lacks, and bodies handed over whole instead of by the packet."""

import time
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10.0
WHOLE_BYTES = 1024 * 1024  # a body past this is handed over in parts, and the application refuses it


class Connection(HttpToolsProtocol):
    """Closes a connection whose request line and headers come too slowly or never end."""

    _head_bytes = 0
    _since = 0.0

    def connection_made(self, transport: Any) -> None:
        self._since = time.monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.scope is None or "path" not in self.scope:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")
        else:
            self._head_bytes = 0

    def on_message_begin(self) -> None:
        self._since = time.monotonic()
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Wake the application once, when all is there; one that is past the bound wakes it at once."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > WHOLE_BYTES:
            self.flow.pause_reading()
            cycle.message_event.set()

    def is_stuck(self, now: float) -> bool:
        """Whether its client began something and doesn't go on."""
        waits = self.cycle is None or (self.cycle.more_body and not self.cycle.response_complete)
        return (waits or "path" not in self.scope) and now - self._since > HEAD_SECONDS


def close_stuck(connections: Iterable[Any]) -> None:
    now = time.monotonic()
    for connection in list(connections):
        if connection.is_stuck(now) and not connection.transport.is_closing():
            connection.transport.close()

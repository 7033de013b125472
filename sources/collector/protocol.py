"""uvicorn's connection with two bounds it lacks: how long and how large the head of a request may be."""

import time
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10.0


class Connection(HttpToolsProtocol):
    """Closes a connection whose request line and headers come too slowly or never end."""

    _head_bytes = 0
    _since = 0.0

    def connection_made(self, transport: Any) -> None:
        self._since = time.monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waits_for_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")
        else:
            self._head_bytes = 0

    def on_message_begin(self) -> None:
        self._since = time.monotonic()
        super().on_message_begin()

    @property
    def _waits_for_head(self) -> bool:
        return self.scope is None or "path" not in self.scope

    def is_stuck(self, now: float) -> bool:
        return self._waits_for_head and now - self._since > HEAD_SECONDS


def close_stuck(connections: Iterable[Any]) -> None:
    """Close who opened a connection, or began a request, and doesn't go on."""
    now = time.monotonic()
    for connection in list(connections):
        if connection.is_stuck(now) and not connection.transport.is_closing():
            connection.transport.close()

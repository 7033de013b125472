"""The short way of requests that come by the thousand: judged where they are parsed, answered where they are synced.

uvicorn and ASGI make a task, a scope, an event and four messages for each request, and these take most of its time.
The judgement is `receiving.take_events`, the same that the application calls; tests send what they send both ways.
"""

from time import perf_counter
from typing import Any, ClassVar

from sources.collector import receiving
from sources.collector.answers import CLOSE, SUCCESS, Answer, Headers
from sources.collector.body import whole
from sources.collector.call import Call
from sources.collector.pressure import Hold
from sources.collector.routes import ROUTES

PATHS = {route.path.encode(): route.path for route in ROUTES if route.handler is receiving.events}
NO_HEADERS: Headers = []
YES = SUCCESS.written(NO_HEADERS, closes=False)


class Nobody:
    """Waits for nothing."""

    def set(self) -> None:
        """Uvicorn wakes the task of a request when its connection is gone; there is none."""


class Direct:
    """One request on its connection, with what uvicorn wants to know of it."""

    __slots__ = (
        *("_began", "_call", "_connection", "_hold"),
        *("body", "disconnected", "keep_alive", "more_body", "path", "response_complete"),
    )
    message_event: ClassVar = Nobody()

    def __init__(self, connection: Any, path: str, *, keep_alive: bool) -> None:
        self._connection = connection
        self.path = path
        self.keep_alive = keep_alive
        self.body: bytes | bytearray = b""
        self.more_body = True
        self.disconnected = self.response_complete = False

    def take(self) -> None:
        """The body is here as a whole."""
        self.more_body = False
        self._began = perf_counter()
        connection = self._connection
        collector = connection.app.collector
        self._call = Call(self.path, b"", connection.headers, connection.client and connection.client[0])
        self._hold = Hold(collector.in_flight)
        try:
            self._hold.take(len(self.body))
            body = whole(bytes(self.body), self._hold, 2 * collector.settings.limits.batch)
            receiving.take_events(collector, self._call, body, self._reply)
        except Exception as error:  # noqa: BLE001 - whatever it is, the collector has an answer
            self._reply(error)

    def _reply(self, said: Answer | Exception) -> None:
        connection = self._connection
        collector = connection.app.collector
        self._hold.release()
        self.body = b""  # or an idle connection would keep its last request
        answer = said if isinstance(said, Answer) else collector.refused(said)
        collector.metrics.answered(answer.status, perf_counter() - self._began)
        self.response_complete = True
        if self.disconnected:
            return
        origin, closes = self._call.origin, not self.keep_alive or CLOSE in answer.headers
        if answer is SUCCESS and origin is None and not closes:
            connection.transport.write(YES)
        else:
            connection.transport.write(answer.written(collector.cors(origin), closes=closes))
            if closes:
                connection.transport.close()
        connection.on_response_complete()

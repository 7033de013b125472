"""One request as the routes see it."""

import time
from datetime import UTC, datetime
from typing import Any

from sources.collector.addresses import client_address, kept
from sources.collector.body import Receive
from sources.collector.senders import Source
from sources.collector.sorting import Facts


class Call:
    """The parts of a request, taken out of ASGI's scope once."""

    __slots__ = ("headers", "name", "path", "query", "receive", "scope")

    def __init__(self, scope: dict[str, Any], receive: Receive, name: str = "") -> None:
        self.scope = scope
        self.receive = receive
        self.name = name  # the part of the path that the route leaves open
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    @property
    def origin(self) -> bytes | None:
        return self.headers.get(b"origin")

    @property
    def peer(self) -> str | None:
        client = self.scope.get("client")
        return client[0] if client else None

    def facts(self, source: Source, trusted_proxies: int) -> Facts:
        """Return what the request says beside its body; the address only as far as the policy keeps it."""
        sender, headers = source.sender, self.headers
        agent = headers.get(b"user-agent", b"").decode("latin-1")
        address = client_address(self.peer, headers.get(b"x-forwarded-for"), trusted_proxies)
        return Facts(
            received_at=now(),
            address=kept(address, sender.ip) if address else None,
            gpc=headers.get(b"sec-gpc") == b"1",
            user_agent=agent if sender.kind == "browser" else "",
            sdk=agent[:100] if sender.kind == "server" else None,
            retries=retries(headers.get(b"x-retry-count")),
        )


def now() -> str:
    """ISO 8601, milliseconds, UTC."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def retries(header: bytes | None) -> bytes:
    """`X-Retry-Count` as a field of the line."""
    if header is None or not header.isdigit() or len(header) > 4:  # noqa: PLR2004 - nobody retries 10,000 times
        return b""
    return b',"retryCount":%d' % int(header)

"""One request as the routes see it."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Self

from sources.collector.addresses import client_address, kept
from sources.collector.body import Receive
from sources.collector.facts import Facts
from sources.collector.senders import Source

Header = tuple[bytes, bytes]


async def nothing_more() -> dict[str, Any]:
    """What a request that is here as a whole is asked for more of."""
    return {"type": "http.disconnect"}


class Call:
    """The parts of a request, taken out of what came once."""

    __slots__ = ("headers", "name", "path", "peer", "query", "receive")

    def __init__(self, path: str, query: bytes, headers: Iterable[Header], peer: str | None) -> None:
        self.path = path
        self.query = query
        self.headers = dict(headers)
        self.peer = peer
        self.name = ""  # the part of the path that the route leaves open
        self.receive: Receive = nothing_more

    @classmethod
    def of(cls, scope: dict[str, Any], receive: Receive, name: str) -> Self:
        """Return what ASGI says of a request."""
        client = scope.get("client")
        call = cls(scope["path"], scope["query_string"], scope["headers"], client[0] if client else None)
        call.name, call.receive = name, receive
        return call

    @property
    def origin(self) -> bytes | None:
        return self.headers.get(b"origin")

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


@lru_cache(2)
def written(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """ISO 8601, milliseconds, UTC; under load many requests share one."""
    return written(time.time_ns() // 1_000_000)


def retries(header: bytes | None) -> bytes:
    """`X-Retry-Count` as a field of the line."""
    if header is None or not header.isdigit() or len(header) > 4:  # noqa: PLR2004 - nobody retries 10,000 times
        return b""
    return b',"retryCount":%d' % int(header)

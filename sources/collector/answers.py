"""What is answered, and the headers that let pages of other origins send and read it."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from sources.collector.events import encode

Headers = list[tuple[bytes, bytes]]
ORIGIN = re.compile(rb"[!-~]{1,300}")
JSON = b"application/json"
CLOSE = (b"connection", b"close")
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding, anonymousid, x-retry-count"),
    (b"access-control-max-age", b"86400"),
]


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = field(default_factory=list)

    def messages(self, cors: Headers) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the two messages of ASGI."""
        headers = [(b"content-length", b"%d" % len(self.body)), *self.headers, *cors]
        if self.body:
            headers.append((b"content-type", self.content_type))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": self.body}

    def written(self, cors: Headers, *, closes: bool) -> bytes:
        """Return the same as the bytes of HTTP."""
        start, body = self.messages([*cors, CLOSE] if closes and CLOSE not in self.headers else cors)
        head = b"".join(b"%b: %b\r\n" % pair for pair in start["headers"])
        return b"%b%b\r\n%b" % (STATUS_LINE[self.status], head, body["body"])


SUCCESS = Answer(200, b'{"success":true}')


def refusal(status: int, code: str, retry_after: int | None = None) -> Answer:
    """An error in Segment's manner, with a code that never holds anything of the request."""
    headers: Headers = []
    if retry_after is not None:
        headers.append((b"retry-after", b"%d" % retry_after))
    if status == 429:  # noqa: PLR2004 - too many requests
        headers.append((b"x-ratelimit-reset", b"%d" % (time.time() + (retry_after or 1))))
    if status == 401:  # noqa: PLR2004 - unauthorised
        headers.append((b"www-authenticate", b'Basic realm="write key"'))
    if status in (408, 413):
        headers.append(CLOSE)
    return Answer(status, encode({"success": False, "code": code}), headers=headers)


def cors(origin: bytes | None, allowed: frozenset[bytes]) -> Headers:
    """Echo the origin, if it may send; a page that may not is answered all the same, but can't read it."""
    if origin is None or (allowed and origin not in allowed) or not ORIGIN.fullmatch(origin):
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset"),
        (b"vary", b"Origin"),
    ]

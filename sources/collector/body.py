"""Reads a request's body: bounded in size and time, and inflated no further than its limit."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from sources.collector.pressure import Hold
from sources.collector.refusal import Gone, Refusal

Receive = Callable[[], Awaitable[Any]]
GZIP = b"\x1f\x8b"
WINDOW = 47  # zlib's word for: gzip or zlib, whichever it is


async def read_body(receive: Receive, hold: Hold, limit: int, seconds: float) -> bytes:
    """Return the whole body, inflated. Raises Refusal 408 for a slow client and 413 past the limit."""
    message = await receive()
    if message["type"] != "http.request":
        raise Gone
    body: bytes = message["body"]
    hold.take(len(body))
    if message["more_body"]:
        try:
            async with asyncio.timeout(seconds):
                body = await rest_of(body, receive, hold, limit)
        except TimeoutError:
            raise Refusal(408, "too_slow") from None
    return whole(body, hold, limit)


def whole(body: bytes, hold: Hold, limit: int) -> bytes:
    """Return a body that has come as it was meant; `hold` has its size already."""
    if len(body) > limit:
        raise Refusal(413, "body_too_large")
    return inflated(body, hold, limit) if body.startswith(GZIP) else body


async def rest_of(first: bytes, receive: Receive, hold: Hold, limit: int) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        if size > limit:
            raise Refusal(413, "body_too_large")
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        parts.append(message["body"])
        size += len(message["body"])
        hold.take(len(message["body"]))
        more = message["more_body"]
    return b"".join(parts)


def inflated(body: bytes, hold: Hold, limit: int) -> bytes:
    """Stop at the limit, however much there would be: a megabyte can hold a gigabyte."""
    inflater = zlib.decompressobj(WINDOW)
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise Refusal(400, "malformed_gzip") from None
    hold.take(len(plain))
    if len(plain) > limit:
        raise Refusal(413, "body_too_large")
    if not inflater.eof:
        raise Refusal(400, "malformed_gzip")
    return plain

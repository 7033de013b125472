"""The API as a bare ASGI application: no framework, no log line with an address in it.

GET /v1/profiles/{identifier}?include=traits,audiences      POST /v1/profiles/lookup {"identifier": …, "include": […]}
GET /health      GET /openapi.json
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from reverse_etl.environment import now as real_now
from reverse_etl.serving import identifier
from reverse_etl.serving.keys import SCOPES, Key, Keys
from reverse_etl.serving.limit import Limit
from reverse_etl.serving.openapi import DOCUMENT
from reverse_etl.serving.store import Store, Unavailable
from reverse_etl.serving.view import view

LOG = logging.getLogger("cdp.serving")
PROFILES, LOOKUP = "/v1/profiles/", "/v1/profiles/lookup"
LONGEST_BODY = 4_096
HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Refused(Exception):
    """An answer that is no profile."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


@dataclass
class _Caller:
    """Who asks, for the log: also of what is refused."""

    name: str = "-"


@dataclass
class ProfileApi:
    """One application; `longest_age` is how old a snapshot may be before it is not served any more."""

    store: Store
    keys: Keys
    longest_age: timedelta = timedelta(days=1)
    is_quick: bool = True  # a look-up takes microseconds; else it goes to a thread
    now: Callable[[], datetime] = real_now
    limit: Limit = field(default_factory=Limit)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        began, caller, headers = time.perf_counter(), _Caller(), {}
        try:
            status, body = await self._answer(scope, receive, caller)
        except Refused as refused:
            status, headers = refused.status, dict(refused.headers)
            body = {"error": {"code": refused.code, "message": refused.message}}
        except Exception as error:  # noqa: BLE001 - its text may quote a value: only its type is told
            LOG.error("failed: %s", type(error).__name__)  # noqa: TRY400 - a trace quotes values too
            status, body = 500, {"error": {"code": "failed", "message": "the server erred"}}
        LOG.info("%s %s %d %.1f ms", scope["method"], caller.name, status, (time.perf_counter() - began) * 1_000)
        await _send(send, status, body, headers)
        return None

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, caller: _Caller) -> tuple[int, Any]:
        """Give status and body."""
        match (scope["method"], scope["path"]):
            case ("GET", "/health"):
                caller.name = "health"
                return 200, await self._health()
            case ("GET", "/openapi.json"):
                caller.name = "openapi"
                return 200, DOCUMENT
            case ("POST", path) if path == LOOKUP:
                key = self._key(scope, caller)
                asked = await _body(receive)
                return 200, await self._profile(key, str(asked.get("identifier", "")), asked.get("include"))
            case ("GET", path) if path.startswith(PROFILES):
                key = self._key(scope, caller)
                query = parse_qs(scope["query_string"].decode("latin-1"))
                include = query["include"][0].split(",") if "include" in query else None
                return 200, await self._profile(key, path.removeprefix(PROFILES), include)
            case (_, path) if path.startswith(PROFILES):
                raise Refused(405, "method_not_allowed", "GET, or POST to /v1/profiles/lookup", {"allow": "GET, POST"})
        raise Refused(404, "not_found", "there is nothing here; see /openapi.json")

    def _key(self, scope: Mapping[str, Any], caller: _Caller) -> Key:
        """Recognise the key, and whether it may ask now."""
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        kind, _, token = given.partition(" ")
        found = self.keys.find(token.strip(), self.now().date()) if kind.lower() == "bearer" else None
        if found is None:
            raise Refused(401, "unauthorized", "send a key: Authorization: Bearer …", {"www-authenticate": "Bearer"})
        caller.name, key = found
        if wait := self.limit.take(caller.name, key.requests_per_second, key.burst):
            headers = {"retry-after": str(max(1, math.ceil(wait)))}
            raise Refused(429, "too_many_requests", f"{key.requests_per_second:g} a second", headers)
        return key

    async def _profile(self, key: Key, text: str, include: Any) -> dict[str, Any]:
        wanted = _wanted(key, include)
        try:
            asked = identifier.read(text)
        except identifier.Unreadable as error:
            raise Refused(400, "bad_identifier", str(error)) from None
        if not (types := tuple(kind for kind in asked.types if kind in key.identifiers)):
            raise Refused(403, "forbidden", "this key may not ask by such an identifier")
        asked = replace(asked, types=types)
        try:
            self._refuse_what_is_old()
            found = self.store.find(asked) if self.is_quick else await asyncio.to_thread(self.store.find, asked)
        except Unavailable as error:
            raise Refused(503, "unavailable", str(error), {"retry-after": "60"}) from None
        if found is None:
            raise Refused(404, "profile_not_found", "nobody is known by this identifier")
        return view(found.document, key, wanted)

    def _refuse_what_is_old(self) -> None:
        """Consents age: an old snapshot may show somebody who has denied since."""
        at = self.store.published_at()
        if at is not None and self.now() - at > self.longest_age:
            raise Unavailable("what is published is too old: publish again")

    async def _health(self) -> dict[str, Any]:
        try:
            at = self.store.published_at()
        except Unavailable as error:
            raise Refused(503, "unavailable", str(error)) from None
        return {"status": "ok", "published_at": at.isoformat() + "Z" if at else None}


def _wanted(key: Key, include: Any) -> tuple[str, ...]:
    if include is None:
        return key.scopes
    if not isinstance(include, list) or not include or set(map(str, include)) - set(SCOPES):
        raise Refused(400, "bad_include", f"include names some of {', '.join(SCOPES)}")
    if missing := sorted(set(include) - set(key.scopes)):
        raise Refused(403, "forbidden", f"this key has no scope {missing[0]}")
    return tuple(include)


async def _body(receive: Receive) -> dict[str, Any]:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > LONGEST_BODY:
            raise Refused(413, "too_large", f"{LONGEST_BODY} bytes at most")
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("identifier"), str):
        raise Refused(400, "bad_body", 'send {"identifier": "…"}')
    return asked


async def _send(send: Send, status: int, body: Any, headers: Mapping[str, str]) -> None:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    own = [(name.encode(), value.encode()) for name, value in headers.items()]
    length = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*HEADERS, *own, *length]})
    await send({"type": "http.response.body", "body": content})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

"""Resend as far as sending one e-mail goes: keys of idempotency with their conflicts, senders of verified domains.

Key: re_sandbox. Senders of `unverified.example` are refused; addresses of the domain `undeliverable.example` too.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

API_KEY = "re_sandbox"
ADDRESS = re.compile(r"(?:[^<>\r\n]*<)?[^@\s<>]+@([^@\s<>]+\.[^@\s<>]+)>?")
REMEMBERED, LONGEST_KEY, MOST_RECIPIENTS = timedelta(hours=24), 256, 50
STATUS_NAMES = {401: "missing_api_key", 403: "invalid_api_key", 422: "validation_error", 429: "rate_limit_exceeded"}


class Vendor:
    """Kinds: emails (by id), keys (of idempotency)."""

    name = "resend"
    environment: ClassVar[Mapping[str, str]] = {"RESEND_URL": "{url}", "RESEND_API_KEY": API_KEY}

    def handle(self, request: Call, store: Store) -> Answer:
        key = request.headers.get("authorization", "")
        if key != f"Bearer {API_KEY}":
            return _error(403, "invalid_api_key") if key else _error(401, "missing_api_key")
        if (request.method, request.path) != ("POST", "/emails"):
            return _error(404, "not_found")
        once = request.headers.get("idempotency-key")
        if once is not None and not 0 < len(once) <= LONGEST_KEY:
            return _error(400, "invalid_idempotency_key")
        body = hashlib.sha256(request.body).hexdigest()
        if once and (known := _remembered(store, once, request.now)):
            if known["body"] != body:
                return _error(409, "invalid_idempotent_request")
            return Answer(200, {"id": known["id"]})
        return _send(request, store, once, body)

    def failing(self, status: int, seconds: float) -> Answer:
        waits = {"retry-after": f"{seconds:.0f}"} if status == 429 else {}  # noqa: PLR2004
        name = "concurrent_idempotent_requests" if status == 409 else STATUS_NAMES.get(status, "application_error")  # noqa: PLR2004
        return Answer(status, _error(status, name).json, headers=waits)


def _send(request: Call, store: Store, once: str | None, body: str) -> Answer:
    try:
        said = dict(request.json())
    except (ValueError, TypeError):
        return _error(400, "validation_error")
    if name := _wrong(said):
        return _error(403 if name == "unverified_domain" else 422, name)
    email_id = f"{store.count('emails') + 1:08x}-0000-4000-8000-000000000000"
    store.put("emails", email_id, {**said, "at": request.now.isoformat()})
    if once:
        store.put("keys", once, {"body": body, "id": email_id, "at": request.now.isoformat()})
    return Answer(200, {"id": email_id})


def _wrong(said: Mapping[str, Any]) -> str:
    """Name what Resend says of it; empty when it sends it."""
    to = said.get("to")
    recipients = [to] if isinstance(to, str) else to
    if not recipients or not said.get("subject") or not (said.get("html") or said.get("text")):
        return "missing_required_field"
    sender = ADDRESS.fullmatch(str(said.get("from", "")))
    if not sender:
        return "invalid_from_address"
    if sender[1] == "unverified.example":
        return "unverified_domain"
    found = [ADDRESS.fullmatch(str(one)) for one in recipients]
    if len(recipients) > MOST_RECIPIENTS or not all(found):
        return "validation_error"
    return "validation_error" if any(one and one[1] == "undeliverable.example" for one in found) else ""


def _remembered(store: Store, once: str, now: datetime) -> dict[str, str] | None:
    known: dict[str, str] | None = store.get("keys", once)
    return known if known and datetime.fromisoformat(known["at"]) > now - REMEMBERED else None


def _error(status: int, name: str) -> Answer:
    return Answer(status, {"statusCode": status, "name": name, "message": name.replace("_", " ")})

"""An inbox for signed webhooks, as a careful receiver builds one.

POST /in/<inbox> takes rows; what is unsigned, stale or altered gets 401. A message that comes again under its
idempotency key gets its first answer and changes nothing; so does a row that comes again under its operation_id.
Rows without an identifier or with a value that is too long are rejected one by one. DELETE /in/<inbox> closes an
inbox: from then on it answers 410.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call
from reverse_etl.signature import flaw

SECRET = "whsec_c3ludGhldGljIHNlY3JldCBvZiB0aGUgc2FuZGJveA=="  # noqa: S105 — says that it is one
INBOX = re.compile(r"/in/([a-z0-9_]{1,63})")
MOST_BYTES = 1_000_000
MOST_ROWS = 500
LONGEST_VALUE = 2_000
OPERATIONS = {"add", "change", "remove"}


class Vendor:
    name = "webhook"
    environment: ClassVar[Mapping[str, str]] = {
        "WEBHOOK_URL": "{url}/in/audience",
        "WEBHOOK_SECRET": SECRET,
        "CDP_PRIVATE_NETWORKS": "127.0.0.0/8",
    }

    def handle(self, request: Call, store: Store) -> Answer:
        inbox = INBOX.fullmatch(request.path)
        if not inbox or request.method not in {"POST", "DELETE"}:
            return Answer(404, {"error": "unknown_path"})
        if request.method == "DELETE":
            store.put("closed", inbox[1], {})
            return Answer(204)
        if store.get("closed", inbox[1]) is not None:
            return Answer(410, {"error": "closed"})
        if len(request.body) > MOST_BYTES:
            return Answer(413, {"error": "too_large", "limit_bytes": MOST_BYTES})
        if wrong := flaw(SECRET, request.headers, request.body, request.now.replace(tzinfo=UTC).timestamp()):
            return Answer(401, {"error": wrong})
        return _once(request, store, inbox[1])


def _once(request: Call, store: Store, inbox: str) -> Answer:
    """Take a message under its idempotency key, or repeat what was answered then."""
    key = request.headers.get("idempotency-key", "")
    if not key:
        return Answer(400, {"error": "no_idempotency_key"})
    content = hashlib.sha256(request.body).hexdigest()
    if before := store.get("messages", key):
        return Answer(json=before["answer"]) if before["content"] == content else Answer(422, {"error": "key_reused"})
    try:
        rows = request.json()["rows"]
        ids = [str(row["operation_id"]) for row in rows]
    except (ValueError, KeyError, TypeError):
        return Answer(400, {"error": "malformed"})
    if not 0 < len(rows) <= MOST_ROWS or len(set(ids)) < len(ids):
        return Answer(400, {"error": "rows_or_ids", "limit_rows": MOST_ROWS})
    seen = store.some("operations", ids)
    results = [seen.get(id_) or _take(store, inbox, row) for id_, row in zip(ids, rows, strict=True)]
    store.put_all("operations", dict(zip(ids, results, strict=True)))
    answer = {"results": results}
    store.put("messages", key, {"content": content, "answer": answer})
    return Answer(json=answer)


def _take(store: Store, inbox: str, row: dict[str, Any]) -> dict[str, str]:
    result = {"operation_id": str(row["operation_id"]), "status": "delivered", "code": _why_not(row)}
    if result["code"]:
        return {**result, "status": "rejected"}
    member = member_key(row["identifiers"])
    if row["operation"] == "remove":
        store.drop(f"members/{inbox}", member)
    else:
        store.put(f"members/{inbox}", member, row.get("fields") or {})
    return result


def member_key(identifiers: dict[str, Any]) -> str:
    """Name a member by its identifiers, whatever they are called."""
    return "|".join(str(value) for _, value in sorted(identifiers.items()))


def _why_not(row: dict[str, Any]) -> str:
    values = {**(row.get("identifiers") or {}), **(row.get("fields") or {})}
    if row.get("operation") not in OPERATIONS:
        return "unknown_operation"
    if not any((row.get("identifiers") or {}).values()):
        return "no_identifier"
    return "value_too_long" if any(len(str(value)) > LONGEST_VALUE for value in values.values()) else ""

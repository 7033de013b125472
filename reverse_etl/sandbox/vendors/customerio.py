"""Customer.io as far as manual segments go: a batch with 207, 500 KB and 32 KB, ids nobody has ignored.

Who is in a segment is told by the App API, whose key is another. Site id and keys: sandbox. Documents of the kind
`suppressed` name ids that are silently ignored. A segment exists when its id isn't 404.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

SITE = "sandbox"
KEY = "Basic " + base64.b64encode(f"{SITE}:{SITE}".encode()).decode()
APP_KEY, MOST_ON_A_PAGE = f"Bearer {SITE}", 30_000
MOST_BYTES, MOST_ITEM_BYTES, MOST_ID_BYTES, MOST_VALUE_BYTES, MOST_IDS = 500_000, 32_000, 150, 1_000, 1_000
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ID_TYPES = {"id", "email", "cio_id"}

Document = dict[str, Any]


class Vendor:
    """Kinds: people (by `id:u1` or `email:…`), suppressed, members/<segment>."""

    name = "customerio"
    environment: ClassVar[Mapping[str, str]] = {
        "CUSTOMERIO_URL": "{url}",
        "CUSTOMERIO_SITE_ID": SITE,
        "CUSTOMERIO_API_KEY": SITE,
        "CUSTOMERIO_APP_URL": "{url}",
        "CUSTOMERIO_APP_API_KEY": SITE,
    }

    def handle(self, request: Call, store: Store) -> Answer:
        is_of_app = request.path.startswith("/v1/")
        if request.headers.get("authorization") != (APP_KEY if is_of_app else KEY):
            return Answer(401, {"meta": {"error": "Unauthorized request"}})
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "api", "v2", "batch"):
                return _batch(request, store)
            case ("POST", "api", "v1", "segments", id_, "add_customers" | "remove_customers" as verb) if id_ != "404":
                return _segment(request, store, id_, is_added=verb == "add_customers")
            case ("GET", "v1", "segments", id_, "membership") if id_ != "404":
                return _membership(request, store, id_)
        return Answer(404, {"meta": {"error": "not found"}})

    def failing(self, status: int, seconds: float) -> Answer:
        waits = {"retry-after": f"{seconds:.0f}"} if seconds else {}
        return Answer(status, {"meta": {"error": "injected"}}, headers=waits)


def _bad(reason: str, message: str) -> Answer:
    return Answer(400, {"errors": [{"reason": reason, "message": message}]})


def _batch(request: Call, store: Store) -> Answer:
    if len(request.body) > MOST_BYTES:
        return _bad("too_large", "A batch has at most 500 KB.")
    try:
        items = list(request.json()["batch"])
        sizes = [len(json.dumps(item)) for item in items]
    except (ValueError, LookupError, TypeError):
        return _bad("invalid", "Malformed.")
    if not items or max(sizes) > MOST_ITEM_BYTES:
        return _bad("too_large", "Every item has at most 32 KB.")
    errors = []
    for place, item in enumerate(items):
        if wrong := _wrong(item):
            field, message = wrong
            errors.append({"batch_index": place, "reason": "invalid", "field": field, "message": message})
        else:
            _identify(item, store)
    return Answer(207, {"errors": errors}) if errors else Answer(200, {})


def _wrong(item: Document) -> tuple[str, str] | None:
    """Field and message, when an item isn't taken."""
    if item.get("type") != "person" or item.get("action") != "identify":
        return "action", "The sandbox knows identify only"
    identifiers = item.get("identifiers") or {}
    if len(identifiers) != 1 or not identifiers.keys() <= ID_TYPES:
        return "identifiers", "exactly one of id, email, cio_id"
    ((kind, value),) = identifiers.items()
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MOST_ID_BYTES:
        return f"identifiers.{kind}", "a string of at most 150 bytes"
    attributes = item.get("attributes") or {}
    for address in (attributes.get("email"), value if kind == "email" else None):
        if address and not EMAIL.fullmatch(str(address)):
            return "attributes.email", "not an email address"
    if (created := attributes.get("created_at")) is not None and not isinstance(created, int):
        return "attributes.created_at", "must be a unix timestamp in seconds"
    too_long = [name for name, one in attributes.items() if len(str(one).encode()) > MOST_VALUE_BYTES]
    return (f"attributes.{too_long[0]}", "at most 1000 bytes") if too_long else None


def _identify(item: Document, store: Store) -> None:
    ((kind, value),) = item["identifiers"].items()
    key = f"{kind}:{value.lower() if kind == 'email' else value}"
    if store.get("suppressed", key) is not None:
        return  # and nobody is told
    merged = {**(store.get("people", key) or {kind: value}), **(item.get("attributes") or {})}
    store.put("people", key, {name: one for name, one in merged.items() if one is not None})


def _segment(request: Call, store: Store, segment: str, *, is_added: bool) -> Answer:
    id_type = request.query.get("id_type", "id")
    try:
        ids = list(request.json()["ids"])
    except (ValueError, LookupError, TypeError):
        return _bad("invalid", "Malformed.")
    if id_type not in ID_TYPES or not 0 < len(ids) <= MOST_IDS:
        return _bad("invalid", "Between 1 and 1000 ids of one type.")
    keys = [f"{id_type}:{str(id_).lower() if id_type == 'email' else id_}" for id_ in ids]
    if is_added:  # of those that exist
        store.put_all(f"members/{segment}", store.some("people", keys))
    else:
        store.drop_all(f"members/{segment}", keys)
    return Answer(200, {})


def _membership(request: Call, store: Store, segment: str) -> Answer:
    limit, start = int(request.query.get("limit", 1)), int(request.query.get("start") or 0)
    if not 0 < limit <= MOST_ON_A_PAGE:
        return _bad("invalid", "At most 30,000 on a page.")
    everybody = list(store.all(f"members/{segment}").items())
    page = everybody[start : start + limit]
    named = [{"cio_id": key, "id": one.get("id"), "email": one.get("email")} for key, one in page]
    following = str(start + limit) if start + limit < len(everybody) else ""
    return Answer(200, {"identifiers": named, "ids": [one["id"] for one in named], "next": following})

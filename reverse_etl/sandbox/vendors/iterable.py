"""Iterable as far as static lists go: failures by reason, addresses in lower case, types that are kept.

Key: iterable-sandbox. A list exists when its id isn't 404. Documents of the kind `forgotten` name whom it must not
know again. A field has the type it came with first.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

API_KEY = "iterable-sandbox"
MOST_PEOPLE, MOST_BYTES, MISSING_LIST = 1_000, 4_000_000, 404
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
REASONS = ("invalid", "notFound", "forgotten", "conflict", "invalidData")
CODES = {401: "BadApiKey", 429: "RateLimitExceeded"}

Document = dict[str, Any]


class Vendor:
    """Kinds: users, forgotten, types, channel_unsubscribed, members/<list>."""

    name = "iterable"
    environment: ClassVar[Mapping[str, str]] = {
        "ITERABLE_URL": "{url}",
        "ITERABLE_API_KEY": API_KEY,
    }

    def handle(self, request: Call, store: Store) -> Answer:
        if request.headers.get("api-key") != API_KEY:
            return Answer(401, {"msg": "Invalid API key", "code": "BadApiKey", "params": {}})
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "lists", "subscribe" | "unsubscribe" as verb):
                return _change(request, store, is_added=verb == "subscribe")
            case ("GET", "lists", id_, "size"):
                return Answer(200, content=str(store.count(f"members/{id_}")).encode())
            case ("GET", "lists", "getUsers"):
                return _users(request, store)
        return Answer(404, {"msg": "Not found", "code": "NotFound", "params": {}})

    def failing(self, status: int, seconds: float) -> Answer:
        waits = {"retry-after": f"{seconds:.0f}"} if seconds else {}
        return Answer(status, {"msg": "Injected", "code": CODES.get(status, "Error"), "params": {}}, headers=waits)


def _bad(message: str) -> Answer:
    return Answer(400, {"msg": message, "code": "BadParams", "params": {}})


def _change(request: Call, store: Store, *, is_added: bool) -> Answer:
    if len(request.body) > MOST_BYTES:
        return Answer(413, {"msg": "Request too large", "code": "RequestEntityTooLarge", "params": {}})
    try:
        said = request.json()
        list_, people = int(said["listId"]), list(said["subscribers"])
    except (ValueError, LookupError, TypeError):
        return _bad("Invalid JSON body")
    if list_ == MISSING_LIST:
        return _bad(f"List with id {list_} not found")
    if len(people) > MOST_PEOPLE:
        return _bad(f"At most {MOST_PEOPLE} subscribers")
    failed: dict[str, list[str]] = {f"{reason}{kind}": [] for reason in REASONS for kind in ("Emails", "UserIds")}
    for person in people:
        key = str(person.get("email") or person.get("userId")).lower()
        may_create = is_added and not said.get("updateExistingUsersOnly")
        if reason := _wrong(person, key, store, may_create=may_create):
            failed[f"{reason}{'Emails' if person.get('email') else 'UserIds'}"].append(key)
        elif is_added:
            _put(person, key, list_, store)
        else:
            store.drop(f"members/{list_}", key)
            if said.get("channelUnsubscribe"):
                store.put("channel_unsubscribed", key, {})
    count = sum(map(len, failed.values()))
    return Answer(200, {"successCount": len(people) - count, "failCount": count, "failedUpdates": failed})


def _users(request: Call, store: Store) -> Answer:
    """Name everybody in one answer, a line each."""
    list_ = request.query.get("listId", "")
    if list_ == str(MISSING_LIST):
        return _bad(f"List with id {list_} not found")
    ways = ("userId", "email") if request.query.get("preferUserId") == "true" else ("email", "userId")
    people = store.all(f"members/{list_}").values()
    lines = [next(person[way] for way in ways if way in person) for person in people]
    return Answer(200, content="\n".join(lines).encode(), headers={"content-type": "text/plain"})


def _wrong(person: Document, key: str, store: Store, *, may_create: bool) -> str:
    """The bucket a person falls into; empty: none."""
    email = person.get("email")
    if email and not EMAIL.fullmatch(str(email)):
        return "invalid"
    if not email and (not isinstance(person.get("userId"), str) or not person["userId"]):
        return "invalid"
    if store.get("forgotten", key) is not None:
        return "forgotten"
    if not may_create and store.get("users", key) is None:
        return "notFound"
    types = store.all("types")
    for name, value in (person.get("dataFields") or {}).items():
        if value is not None and types.get(name, _type(value)) != _type(value):
            return "invalidData"
    return ""


def _put(person: Document, key: str, list_: int, store: Store) -> None:
    data = person.get("dataFields") or {}
    types = store.all("types")
    store.put_all("types", {name: _type(v) for name, v in data.items() if v is not None and name not in types})
    merged = {**(store.get("users", key) or {}), **data}
    store.put("users", key, {name: value for name, value in merged.items() if value is not None})
    store.put(f"members/{list_}", key, {name: person[name] for name in ("email", "userId") if person.get(name)})


def _type(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__

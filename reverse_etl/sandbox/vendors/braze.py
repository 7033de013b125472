"""Braze as far as users go: 75 objects in all, errors by place, a data point for every attribute that changes.

Key: braze-sandbox.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

API_KEY = "braze-sandbox"
MOST_OBJECTS, MOST_BYTES, MOST_ID_BYTES, MOST_EXPORTED = 75, 4_000_000, 988, 50
EXPORTED_BY = {"email": "email_address", "phone": "phone"}
ARRAYS = ("attributes", "events", "purchases")
IDENTIFIERS = ("external_id", "email", "phone")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
STANDARD = {*IDENTIFIERS, "first_name", "last_name", "country", "home_city", "language", "dob", "gender"}
LIMIT, WINDOW_SECONDS = 3_000, 3

Document = dict[str, Any]


class Vendor:
    """Kinds: users, blocked (external ids), counters (data_points), members/<attribute> of boolean attributes."""

    name = "braze"
    environment: ClassVar[Mapping[str, str]] = {
        "BRAZE_URL": "{url}",
        "BRAZE_API_KEY": API_KEY,
    }

    def handle(self, request: Call, store: Store) -> Answer:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return Answer(401, {"message": "Invalid API Key"})
        if (request.method, request.path) == ("POST", "/users/export/ids"):
            return _exported(request, store)
        if (request.method, request.path) != ("POST", "/users/track"):
            return Answer(404, {"message": "Not found"})
        if len(request.body) > MOST_BYTES:
            return Answer(413, {"message": "The request is too large"})
        try:
            said = request.json()
            arrays = {name: list(said.get(name) or []) for name in ARRAYS}
        except (ValueError, AttributeError, TypeError):
            return Answer(400, {"message": "Valid data must be provided in the request"})
        return _tracked(arrays, request, store)

    def failing(self, status: int, seconds: float) -> Answer:
        headers = {"x-ratelimit-retry-after": f"{seconds:.0f}"} if status == 429 else {}  # noqa: PLR2004
        return Answer(status, {"message": "Injected"}, headers=headers)


def _tracked(arrays: dict[str, list[Document]], request: Call, store: Store) -> Answer:
    """Take every object that is right, and name the place of those that aren't; none right: nothing is taken."""
    total = sum(map(len, arrays.values()))
    if not 0 < total <= MOST_OBJECTS:
        return Answer(400, {"message": f"Between 1 and {MOST_OBJECTS} objects, over all arrays"})
    errors = [
        {"type": wrong, "input_array": name, "index": place}
        for name, objects in arrays.items()
        for place, one in enumerate(objects)
        if (wrong := _wrong(one, store))
    ]
    if len(errors) == total:
        return Answer(400, {"message": errors[0]["type"]})
    spoilt = {(error["input_array"], error["index"]) for error in errors}
    for place, one in enumerate(arrays["attributes"]):
        if ("attributes", place) not in spoilt:
            _write(one, store)
    counts = {
        f"{name}_processed": sum((name, place) not in spoilt for place in range(len(objects)))
        for name, objects in arrays.items()
        if objects
    }
    reset = int(request.now.replace(tzinfo=UTC).timestamp()) + WINDOW_SECONDS
    headers = {"x-ratelimit-limit": str(LIMIT), "x-ratelimit-reset": str(reset)}
    return Answer(201, {"message": "success", **counts, **({"errors": errors} if errors else {})}, headers=headers)


def _wrong(one: Document, store: Store) -> str:
    """Why Braze doesn't take this object; empty when it does."""
    found_by = [name for name in IDENTIFIERS if one.get(name)]
    if not found_by:
        return "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
    external_id = one.get("external_id")
    if external_id is not None and (not isinstance(external_id, str) or len(external_id.encode()) >= MOST_ID_BYTES):
        return "'external_id' must be fewer than 988 bytes"
    if external_id and store.get("blocked", external_id) is not None:
        return "BLACKLISTED_EXTERNAL_USER_ID"
    if one.get("email") and not EMAIL.fullmatch(str(one["email"])):
        return "'email' is not valid"
    return ""


def _write(one: Document, store: Store) -> None:
    """Write attributes over the user found by the first identifier given; null removes one."""
    found_by = next(name for name in IDENTIFIERS if one.get(name))
    key = f"{found_by}:{str(one[found_by]).lower()}"
    before = store.get("users", key)
    if before is None and one.get("_update_existing_only"):
        return
    written = {name: value for name, value in one.items() if not name.startswith("_")}
    after = {name: value for name, value in {**(before or {}), **written}.items() if value is not None}
    store.put("users", key, after)
    changed = {name for name, value in written.items() if (before or {}).get(name) != value} - STANDARD
    store.put("counters", "data_points", (store.get("counters", "data_points") or 0) + len(changed))
    for name, value in written.items():
        if value is True:
            store.put(f"members/{name}", key, {found_by: one[found_by]})
        elif value is False:
            store.drop(f"members/{name}", key)


def _exported(request: Call, store: Store) -> Answer:
    """Tell of up to fifty external ids, or of one address or number."""
    try:
        said = request.json()
        wanted = [f"external_id:{id_.lower()}" for id_ in said.get("external_ids") or []]
        wanted += [f"{name}:{said[asked].lower()}" for name, asked in EXPORTED_BY.items() if asked in said]
        fields = list(said["fields_to_export"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return Answer(400, {"message": "fields_to_export and somebody to export are required"})
    if not 0 < len(wanted) <= MOST_EXPORTED:
        return Answer(400, {"message": f"Between 1 and {MOST_EXPORTED} ids"})
    users = []
    for user in store.some("users", wanted).values():
        known = {**user, "custom_attributes": {name: one for name, one in user.items() if name not in STANDARD}}
        users.append({name: known[name] for name in fields if name in known})
    return Answer(201, {"message": "success", "users": users, "invalid_user_ids": []})

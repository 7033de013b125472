"""HubSpot as far as contacts and static lists go: batches of 100, 207 for the mixed, list members by record id.

A list exists when its id isn't 404; `Vendor` knows the standard properties and those named in documents of the kind
`properties`. A document `silent` of the kind `faults` makes upserts answer with neither results nor errors, once.
Documents of the kind `limits` say how many calls are left: `TEN_SECONDLY_ROLLING`, `DAILY`. Token: hubspot-sandbox.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

TOKEN = "hubspot-sandbox"  # noqa: S105 — of the sandbox
MOST_INPUTS, MOST_LISTED, MOST_ON_A_PAGE = 100, 100_000, 250
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
STANDARD = {"email", "firstname", "lastname", "phone", "city", "state", "zip", "country", "company", "jobtitle"}
UNIQUE = {"email", "external_id"}

Document = dict[str, Any]


class Vendor:
    """Kinds: contacts (by record id), ids (of a unique property), properties, members/<list>."""

    name = "hubspot"
    environment: ClassVar[Mapping[str, str]] = {
        "HUBSPOT_URL": "{url}",
        "HUBSPOT_ACCESS_TOKEN": TOKEN,
    }

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — a line per route
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if spent := _spent(store):
            return _too_many(spent)
        match (request.method, *request.path.strip("/").split("/")[2:]):
            case ("POST", "objects", "contacts", "batch", "upsert"):
                return _upsert(request, store)
            case ("POST", "objects", "contacts", "batch", "read"):
                return _read(request, store)
            case ("PUT", "lists", id_, "memberships", "add-and-remove") if id_ != "404":
                return _listed(request, store, id_)
            case ("GET", "lists", id_, "memberships") if id_ != "404":
                return _memberships(request, store, id_)
            case ("GET", "lists", id_) if id_ != "404":
                size = str(store.count(f"members/{id_}"))
                return Answer(200, {"list": {"listId": id_, "additionalProperties": {"hs_list_size": size}}})
        return _error(404, "OBJECT_NOT_FOUND", "No such path or list.")

    def failing(self, status: int, seconds: float) -> Answer:
        answer = _too_many() if status == 429 else _error(status, "ERROR", "Injected")  # noqa: PLR2004
        return replace(answer, headers={"retry-after": f"{seconds:.0f}"} if seconds else {})


def _spent(store: Store) -> str:
    """Count one call, and name the limit that is spent."""
    for policy, left in store.all("limits").items():
        if left <= 0:
            return policy
        store.put("limits", policy, left - 1)
    return ""


def _too_many(policy: str = "TEN_SECONDLY_ROLLING") -> Answer:
    said = {"status": "error", "message": "You have reached your limit.", "errorType": "RATE_LIMIT"}
    return Answer(429, {**said, "policyName": policy, "correlationId": "c"})


def _error(status: int, category: str, message: str, **further: Any) -> Answer:
    said = {"status": "error", "category": category, "message": message, "correlationId": "c", **further}
    return Answer(status, said)


def _inputs(request: Call) -> list[Document] | Answer:
    try:
        inputs = list(request.json()["inputs"])
    except (ValueError, LookupError, TypeError):
        return _error(400, "VALIDATION_ERROR", "Invalid input JSON")
    if not 0 < len(inputs) <= MOST_INPUTS:
        return _error(400, "VALIDATION_ERROR", "Between 1 and 100 inputs")
    if not all(isinstance(one.get("id"), str) for one in inputs):
        return _error(400, "VALIDATION_ERROR", "An id is a string")
    if len({one["id"].lower() for one in inputs}) < len(inputs):
        return _error(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
    return inputs


def _upsert(request: Call, store: Store) -> Answer:
    inputs = _inputs(request)
    if isinstance(inputs, Answer):
        return inputs
    if store.drop("faults", "silent"):
        return Answer(200, {"status": "COMPLETE", "results": [], "errors": []})
    known = STANDARD | UNIQUE | set(store.all("properties"))
    for one in inputs:
        if one.get("idProperty") not in UNIQUE:
            return _error(400, "VALIDATION_ERROR", "idProperty must be a unique property")
        if stray := sorted(set(one["properties"]) - known):
            context = {"context": {"propertyName": [stray[0]]}}
            return _error(400, "VALIDATION_ERROR", f'"code":"PROPERTY_DOESNT_EXIST" {stray[0]}', **context)
        if not all(isinstance(value, str) for value in one["properties"].values()):
            return _error(400, "VALIDATION_ERROR", "Property values are strings")
    results: list[Document] = []
    errors: list[Document] = []
    for one in inputs:
        email = one["id"] if one["idProperty"] == "email" else one["properties"].get("email", "")
        if email and not EMAIL.fullmatch(email):
            traced = {"context": {"objectWriteTraceId": [one.get("objectWriteTraceId")]}}
            errors.append({"status": "error", "category": "VALIDATION_ERROR", "message": "INVALID_EMAIL", **traced})
        else:
            results.append(_written(one, store))
    body = {"status": "COMPLETE", "results": results, "startedAt": "", "completedAt": ""}
    return Answer(207, {**body, "errors": errors, "numErrors": len(errors)}) if errors else Answer(200, body)


def _written(one: Document, store: Store) -> Document:
    """Write over the contact of that id, or a new one; an empty value clears."""
    key = f"{one['idProperty']}:{one['id'].lower()}"
    record = store.get("ids", key)
    is_new = record is None
    record = record or str(store.count("contacts") + 101)
    merged = {**(store.get("contacts", record) or {}), **one["properties"], one["idProperty"]: one["id"].lower()}
    store.put("contacts", record, {name: value for name, value in merged.items() if value != ""})
    for unique in UNIQUE & {name for name, value in merged.items() if value}:
        store.put("ids", f"{unique}:{merged[unique].lower()}", record)
    traced = {"objectWriteTraceId": one["objectWriteTraceId"]} if one.get("objectWriteTraceId") else {}
    return {"id": record, "new": is_new, "properties": merged, **traced}


def _read(request: Call, store: Store) -> Answer:
    inputs = _inputs(request)
    if isinstance(inputs, Answer):
        return inputs
    said = request.json()
    if "idProperty" not in said:
        return _read_records([one["id"] for one in inputs], said["properties"], store)
    by = said["idProperty"]
    keys = {one["id"]: f"{by}:{one['id'].lower()}" for one in inputs}
    records = store.some("ids", keys.values())
    results = [
        {"id": records[key], "properties": {by: id_}, "archived": False} for id_, key in keys.items() if key in records
    ]
    lost = [id_ for id_, key in keys.items() if key not in records]
    errors = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist.",
            "context": {"ids": lost},
        }
    ]
    body = {"status": "COMPLETE", "results": results}
    return Answer(207, {**body, "numErrors": 1, "errors": errors}) if lost else Answer(200, body)


def _read_records(ids: list[str], properties: list[str], store: Store) -> Answer:
    """Read contacts by their record ids."""
    results = [
        {"id": id_, "properties": {name: contact.get(name) for name in properties}, "archived": False}
        for id_, contact in store.some("contacts", ids).items()
    ]
    return Answer(200, {"status": "COMPLETE", "results": results})


def _memberships(request: Call, store: Store, list_: str) -> Answer:
    """Name a page of record ids: who they are is not said here."""
    limit, after = int(request.query.get("limit", 100)), request.query.get("after", "")
    if not 0 < limit <= MOST_ON_A_PAGE:
        return _error(400, "VALIDATION_ERROR", "At most 250 on a page")
    ids = [id_ for id_ in store.all(f"members/{list_}") if id_ > after]
    page = [{"recordId": id_, "membershipTimestamp": ""} for id_ in ids[:limit]]
    paging = {"paging": {"next": {"after": ids[limit - 1], "link": ""}}} if len(ids) > limit else {}
    return Answer(200, {"results": page, **paging})


def _listed(request: Call, store: Store, list_: str) -> Answer:
    try:
        said = request.json()
        adding, removing = said["recordIdsToAdd"], said["recordIdsToRemove"]
    except (ValueError, LookupError, TypeError):
        return _error(400, "VALIDATION_ERROR", "Invalid input JSON")
    if len(adding) + len(removing) > MOST_LISTED:
        return _error(400, "VALIDATION_ERROR", "At most 100,000 records")
    contacts = store.some("contacts", [*adding, *removing])
    store.put_all(f"members/{list_}", {id_: contacts[id_] for id_ in adding if id_ in contacts})
    before = store.some(f"members/{list_}", removing)
    store.drop_all(f"members/{list_}", removing)
    missing = [id_ for id_ in [*adding, *removing] if id_ not in contacts]
    added = [id_ for id_ in adding if id_ in contacts]
    return Answer(200, {"recordsIdsAdded": added, "recordIdsRemoved": list(before), "recordIdsMissing": missing})

"""LinkedIn's DMP segments: versioned, one status per row, and new segments that aren't there yet. Token: `sandbox`.

A segment exists when its id is asked for, unless the id ends with 404; one that was made answers 404 for two seconds.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

TOKEN = "sandbox"  # noqa: S105 — nobody's
OLDEST_VERSION = "202511"  # each lives for about a year
SHAPES = {"SHA256_EMAIL": r"[0-9a-f]{64}", "SHA512_EMAIL": r"[0-9a-f]{128}", "GOOGLE_AID": r"[0-9A-Za-z-]{32,36}"}
MOST_ELEMENTS, LONGEST_NAME, YOUNG = 5_000, 35, timedelta(seconds=2)
Document = dict[str, Any]


class Vendor:
    """Kinds: segments, members/<segment>."""

    name = "linkedin"
    environment: ClassVar[Mapping[str, str]] = {"LINKEDIN_URL": "{url}/rest", "LINKEDIN_ACCESS_TOKEN": TOKEN}

    def handle(self, request: Call, store: Store) -> Answer:
        if refusal := _refusal(request.headers):
            return refusal
        match (request.method, *request.path.removeprefix("/rest").strip("/").split("/")):
            case ("GET", "dmpSegments"):
                return _find(request, store)
            case ("POST", "dmpSegments"):
                return _create(request, store)
            case ("GET", "dmpSegments", id_) if id_.isdigit() and not id_.endswith("404"):
                return _segment(store, id_)
            case ("POST", "dmpSegments", id_, "users") if id_.isdigit():
                return _users(request, store, id_)
        return _error(404, "No virtual resource found.")

    def failing(self, status: int, seconds: float) -> Answer:
        headers = {"retry-after": f"{seconds:.0f}"} if status in {429, 503} and seconds else {}
        return Answer(status, _error(status, "Injected.").json, headers=headers)


def _error(status: int, message: str, code: str = "ERROR") -> Answer:
    return Answer(status, {"status": status, "code": code, "message": message})


def _refusal(headers: Mapping[str, str]) -> Answer | None:
    if headers.get("authorization") != f"Bearer {TOKEN}":
        return _error(401, "Invalid access token", "INVALID_ACCESS_TOKEN")
    version = headers.get("linkedin-version", "")
    if not re.fullmatch(r"20\d{4}", version):
        return _error(400, "A version must be present.", "VERSION_MISSING")
    if version < OLDEST_VERSION:
        return _error(426, f"Requested version {version} is not active", "NONEXISTENT_VERSION")
    if headers.get("x-restli-protocol-version") != "2.0.0":
        return _error(400, "X-Restli-Protocol-Version must be 2.0.0")
    return None


def _find(request: Call, store: Store) -> Answer:
    wanted = {name: request.query.get(name) for name in ("account", "sourceSegmentId", "sourcePlatform")}
    if request.query.get("q") != "account" or not wanted["account"]:
        return _error(400, "Unknown finder.")
    found = [
        {"id": int(id_), "name": segment["name"], "type": segment["type"]}
        for id_, segment in store.all("segments").items()
        if all(segment.get(name) == value for name, value in wanted.items())
    ]
    return Answer(200, {"elements": found})


def _segment(store: Store, id_: str) -> Answer:
    """Tell how many are recognised: here everybody, of the last seven days nobody."""
    built = {"audienceSize": store.count(f"members/{id_}"), "matchedCount": 0, "status": "READY"}
    return Answer(200, {"id": int(id_), "type": "USER", "destinations": [{"destination": "LINKEDIN", **built}]})


def _create(request: Call, store: Store) -> Answer:
    wanted = request.json()
    own = {name: wanted.get(name) for name in ("name", "account", "sourceSegmentId", "sourcePlatform", "type")}
    if not all(own.values()) or own["type"] not in {"USER", "COMPANY"} or not wanted.get("destinations"):
        return _error(400, "A field is missing.")
    if not re.fullmatch(r"urn:li:sponsoredAccount:\d+", str(own["account"])):
        return _error(400, "account must be a URN.")
    same = ("account", "sourceSegmentId", "sourcePlatform")
    if any(all(segment[name] == own[name] for name in same) for segment in store.all("segments").values()):
        return _error(409, "The segment exists.", "CONFLICT")
    id_ = str(10_000_000 + store.count("segments"))
    store.put("segments", id_, {**own, "created_at": request.now.isoformat()})
    return Answer(201, headers={"x-linkedin-id": id_})


def _users(request: Call, store: Store, id_: str) -> Answer:
    segment = store.get("segments", id_) or {}
    is_young = segment and request.now - datetime.fromisoformat(segment["created_at"]) < YOUNG
    if id_.endswith("404") or is_young:
        return _error(404, "The segment is not found.")
    if request.headers.get("x-restli-method", "").upper() != "BATCH_CREATE":
        return _error(400, "X-RestLi-Method must be BATCH_CREATE")
    try:
        elements = request.json()["elements"]
    except (ValueError, LookupError, TypeError):
        return _error(400, "Malformed.")
    if not isinstance(elements, list) or not 0 < len(elements) <= MOST_ELEMENTS:
        return _error(400, f"1 to {MOST_ELEMENTS} elements.")
    statuses = []
    kind = f"members/{id_}"
    flaws = [_flaw(element) for element in elements]
    adding = {key_of(e): e for e, flaw in zip(elements, flaws, strict=True) if not flaw and e["action"] == "ADD"}
    leaving = [e for e, flaw in zip(elements, flaws, strict=True) if not flaw and e["action"] == "REMOVE"]
    store.put_all(kind, adding)
    store.drop_all(kind, _found(store, kind, leaving) if leaving else [])
    for element, flaw in zip(elements, flaws, strict=True):
        good = 201 if element.get("action") == "ADD" else 200
        statuses.append({"status": 400, "error": {"message": flaw, "status": 400}} if flaw else {"status": good})
    return Answer(200, {"elements": statuses})


def _flaw(element: Document) -> str:
    """Why a row is refused."""
    if element.get("action") not in {"ADD", "REMOVE"}:
        return "Unknown action"
    ids = element.get("userIds") or []
    names = [str(element.get(name) or "") for name in ("firstName", "lastName")]
    if any(len(name) > LONGEST_NAME for name in names):
        return "A name is too long"
    if not ids and not all(names):
        return "userIds, or firstName and lastName, are required"
    for one in ids:
        if not re.fullmatch(SHAPES.get(one.get("idType"), r"\b\B"), str(one.get("idValue"))):
            return "An id is not of its type"
    return ""


def key_of(element: Document) -> str:
    """Name the member that an element is."""
    names = [f"{name}={element[name]}" for name in ("firstName", "lastName") if element.get(name)]
    return "|".join([*sorted(_ids(element)), *names])


def _ids(element: Document) -> set[str]:
    return {f"{one['idType']}={one['idValue']}" for one in element.get("userIds") or []}


def _found(store: Store, kind: str, elements: list[Document]) -> set[str]:
    """Find who is meant: by all ids, else by any."""
    exact = set(store.some(kind, [key_of(element) for element in elements]))
    vague = {id_ for element in elements if key_of(element) not in exact for id_ in _ids(element)}
    if not vague:
        return exact
    return exact | {key for key, member in store.all(kind).items() if vague & _ids(member)}

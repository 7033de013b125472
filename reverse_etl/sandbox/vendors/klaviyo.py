"""Klaviyo as far as lists go: import jobs, profiles, lists; and the consent endpoint nobody may call from a sync.

A job is queued when it is made, processing at the first look, complete at the second. A list whose id begins with
`missing` doesn't exist. Key: pk_sandbox.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

API_KEY = "pk_sandbox"
REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.\w+)?")
E164 = re.compile(r"\+[1-9]\d{6,14}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ANY = re.compile(r"any\((email|external_id|phone_number),(\[.*\])\)")
IDENTIFIERS = ("email", "external_id", "phone_number")
MOST_PROFILES, MOST_BYTES, MOST_PROFILE_BYTES = 10_000, 5_000_000, 100_000
MOST_LISTED, MOST_ON_A_PAGE = 1_000, 100
STEPS = ("queued", "processing", "complete")
JOB, SUBSCRIBE = "profile-bulk-import-jobs", "profile-subscription-bulk-create-jobs"

Document = dict[str, Any]


class Vendor:
    """Kinds: profiles, jobs, members/<list>, suppressions, subscriptions."""

    name = "klaviyo"
    environment: ClassVar[Mapping[str, str]] = {
        "KLAVIYO_URL": "{url}",
        "KLAVIYO_API_KEY": API_KEY,
    }

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — a line per route
        if request.headers.get("authorization") != f"Klaviyo-API-Key {API_KEY}":
            return _errors(401, [("not_authenticated", "Missing or invalid private key.", "/data/")])
        if not REVISION.fullmatch(request.headers.get("revision", "")):
            return _errors(400, [("invalid", "A valid revision header is required.", "/data/")])
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "profile-bulk-import-jobs"):
                return _import(request, store)
            case ("GET", "profile-bulk-import-jobs", job, *rest) if rest in ([], ["import-errors"]):
                return _job(request, store, job, is_of_errors=bool(rest))
            case ("GET", "profiles"):
                return _profiles(request, store)
            case ("GET", "lists", id_) if not id_.startswith("missing"):
                counted = {"profile_count": store.count(f"members/{id_}")}
                asked = request.query.get("additional-fields[list]") == "profile_count"
                data = {"type": "list", "id": id_, "attributes": {"name": id_, **(counted if asked else {})}}
                return Answer(200, {"data": data})
            case ("GET", "lists", id_, "profiles") if not id_.startswith("missing"):
                return _members(request, store, id_)
            case ("POST" | "DELETE" as method, "lists", id_, "relationships", "profiles"):
                return _related(request, store, id_, is_added=method == "POST")
            case ("POST", "profile-subscription-bulk-create-jobs"):
                return _subscribe(request, store)
        return _errors(404, [("not_found", "No such resource.", "/data/")])

    def failing(self, status: int, seconds: float) -> Answer:
        code = "throttled" if status == 429 else "error"  # noqa: PLR2004
        headers = {"retry-after": f"{seconds:.0f}"} if status in {429, 503} else {}
        return Answer(status, _errors(status, [(code, "Injected.", "/data/")]).json, headers=headers)


def _errors(status: int, errors: list[tuple[str, str, str]]) -> Answer:
    said = [
        {"id": f"e{n}", "status": status, "code": code, "title": code, "detail": detail, "source": {"pointer": pointer}}
        for n, (code, detail, pointer) in enumerate(errors)
    ]
    return Answer(status, {"errors": said})


def _import(request: Call, store: Store) -> Answer:
    if len(request.body) > MOST_BYTES:
        return _errors(413, [("payload_too_large", "At most 5 MB.", "/data")])
    try:
        data = request.json()["data"]
        profiles = [profile["attributes"] for profile in data["attributes"]["profiles"]["data"]]
        lists = [one["id"] for one in ((data.get("relationships") or {}).get("lists") or {}).get("data") or []]
    except (ValueError, LookupError, TypeError, AttributeError):
        return _errors(400, [("invalid", "Malformed.", "/data")])
    if data.get("type") != "profile-bulk-import-job" or not 0 < len(profiles) <= MOST_PROFILES:
        return _errors(400, [("invalid", "Between 1 and 10,000 profiles.", "/data/attributes/profiles")])
    if any(id_.startswith("missing") for id_ in lists):
        return _errors(404, [("not_found", "No such list.", "/data/relationships/lists")])
    wrong = [error for n, profile in enumerate(profiles) for error in _wrong(n, profile)]
    if wrong:
        return _errors(400, wrong)  # and nothing of it is imported
    job = f"job{store.count('jobs') + 1}"
    failed = [profile for profile in profiles if profile.get("email") and not EMAIL.fullmatch(profile["email"])]
    for profile in profiles:
        if profile not in failed:
            _upsert(store, profile, lists)
    store.put("jobs", job, {"looks": 0, "total": len(profiles), "failed": failed})
    return Answer(202, _job_document(job, 0, len(profiles), 0))


def _wrong(n: int, profile: Document) -> list[tuple[str, str, str]]:
    """Say what is wrong with a profile before the job is taken, by pointer."""
    at = f"/data/attributes/profiles/data/{n}"
    phone, external_id = profile.get("phone_number"), profile.get("external_id")
    if not any(profile.get(name) for name in IDENTIFIERS):
        return [("invalid", "One of email, phone_number, external_id is required.", f"{at}/attributes")]
    if len(json.dumps(profile)) > MOST_PROFILE_BYTES:
        return [("invalid", "A profile has at most 100 KB.", at)]
    if phone is not None and not E164.fullmatch(str(phone)):
        return [("invalid", "The phone number is not E.164.", f"{at}/attributes/phone_number")]
    if external_id is not None and (not isinstance(external_id, str) or len(external_id) > 255):  # noqa: PLR2004
        return [("invalid", "At most 255 letters.", f"{at}/attributes/external_id")]
    stray = set(profile) - {*IDENTIFIERS, "first_name", "last_name", "organization", "title", "locale", "image"}
    stray -= {"location", "properties"}
    return [("invalid", "Not a field of a profile.", f"{at}/attributes/{name}") for name in sorted(stray)]


def _upsert(store: Store, profile: Document, lists: list[str]) -> None:
    """Merge into the profile that shares an identifier: null clears, absent leaves."""
    keys = [f"{name}:{str(profile[name]).lower()}" for name in IDENTIFIERS if profile.get(name)]
    known = store.some("identifiers", keys)
    id_ = next((known[key] for key in keys if key in known), "")
    id_ = id_ or "01H" + hashlib.sha256(keys[0].encode()).hexdigest()[:23].upper()
    before = store.get("profiles", id_) or {}
    merged = {**before, **{name: value for name, value in profile.items() if name not in {"location", "properties"}}}
    for group in ("location", "properties"):
        merged[group] = {**before.get(group, {}), **profile.get(group, {})}
    store.put("profiles", id_, {name: value for name, value in merged.items() if value is not None})
    store.put_all("identifiers", dict.fromkeys(keys, id_))
    for list_ in lists:
        store.put(f"members/{list_}", id_, {name: merged.get(name) for name in IDENTIFIERS})


def _job_document(job: str, looks: int, total: int, failed: int) -> Document:
    status = STEPS[min(looks, 2)]
    done = total if status == "complete" else 0
    counts = {"total_count": total, "completed_count": done, "failed_count": failed if done else 0}
    return {"data": {"type": "profile-bulk-import-job", "id": job, "attributes": {"status": status, **counts}}}


def _job(request: Call, store: Store, job: str, *, is_of_errors: bool) -> Answer:
    kept = store.get("jobs", job)
    if not kept:
        return _errors(404, [("not_found", "No such job.", "/data/id")])
    if not is_of_errors:
        looks = kept["looks"] + 1
        store.put("jobs", job, {**kept, "looks": looks})
        return Answer(200, _job_document(job, looks, kept["total"], len(kept["failed"])))
    size = min(int(request.query.get("page[size]", 20)), MOST_ON_A_PAGE)
    start = int(request.query.get("page[cursor]", 0))
    errors = [
        {
            "type": "import-error",
            "id": f"{job}-{start + n}",
            "attributes": {
                "code": "invalid",
                "title": "Invalid input.",
                "detail": "The email is not valid.",
                "source": {"pointer": "/data/attributes/email"},
                "original_payload": profile,
            },
        }
        for n, profile in enumerate(kept["failed"][start : start + size])
    ]
    there = f"https://a.klaviyo.com/api/{JOB}/{job}/import-errors?page%5Bcursor%5D={start + size}"
    more = start + size < len(kept["failed"])
    return Answer(200, {"data": errors, "links": {"self": "", "next": there if more else None}})


def _profiles(request: Call, store: Store) -> Answer:
    asked = ANY.fullmatch(request.query.get("filter", ""))
    size = int(request.query.get("page[size]", 20))
    if not asked or not 0 < size <= MOST_ON_A_PAGE:
        return _errors(400, [("invalid", "A filter, and at most 100 on a page.", "/data")])
    wanted = [f"{asked[1]}:{str(value).lower()}" for value in json.loads(asked[2])]
    if len(wanted) > MOST_ON_A_PAGE:
        return _errors(400, [("invalid", "At most 100 values.", "/data")])
    ids = sorted(set(store.some("identifiers", wanted).values()))[:size]
    found = [{"type": "profile", "id": id_, "attributes": store.get("profiles", id_)} for id_ in ids]
    return Answer(200, {"data": found, "links": {"self": "", "next": None, "prev": None}})


def _members(request: Call, store: Store, list_: str) -> Answer:
    size, start = int(request.query.get("page[size]", 20)), int(request.query.get("page[cursor]", 0))
    if not 0 < size <= MOST_ON_A_PAGE:
        return _errors(400, [("invalid", "At most 100 on a page.", "/data")])
    everybody = list(store.all(f"members/{list_}").items())
    wanted = request.query.get("fields[profile]", ",".join(IDENTIFIERS)).split(",")
    data = [
        {"type": "profile", "id": id_, "attributes": {name: one.get(name) for name in wanted}}
        for id_, one in everybody[start : start + size]
    ]
    there = f"https://a.klaviyo.com/api/lists/{list_}/profiles?page%5Bcursor%5D={start + size}"
    return Answer(200, {"data": data, "links": {"self": "", "next": there if start + size < len(everybody) else None}})


def _related(request: Call, store: Store, list_: str, *, is_added: bool) -> Answer:
    ids = [one["id"] for one in request.json()["data"]]
    if not 0 < len(ids) <= MOST_LISTED:
        return _errors(400, [("invalid", "Between 1 and 1,000 profiles.", "/data")])
    known = store.some("profiles", ids)
    if list_.startswith("missing") or set(ids) - set(known):
        return _errors(404, [("not_found", "No such list or profile.", "/data")])
    if is_added:
        store.put_all(f"members/{list_}", {id_: {n: known[id_].get(n) for n in IDENTIFIERS} for id_ in ids})
    else:
        store.drop_all(f"members/{list_}", ids)
    return Answer(204)


def _subscribe(request: Call, store: Store) -> Answer:
    """What it does at Klaviyo: consent, and suppressions lifted."""
    for profile in request.json()["data"]["attributes"]["profiles"]["data"]:
        email = str(profile["attributes"].get("email"))
        store.put("subscriptions", email, profile["attributes"].get("subscriptions"))
        store.drop("suppressions", email)
    return Answer(202)

"""Mailchimp as far as lists go: batches of operations, members named by hash, states that can't be left by a call.

A batch is pending when it is made, started at the first look, finished at the second; its answers are a tar.gz at an
address of their own that takes no key. Key: sandbox-us1. Documents of the kind `forgotten` name hashes deleted for
good, those of `compliance` who is in a compliance state.
"""

import base64
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

KEY = "sandbox-us1"
MOST_PENDING, MOST_MEMBERS, MOST_ON_A_PAGE = 500, 500, 1_000
HIDDEN = ("transactional", "unsubscribed", "cleaned")  # in a segment, unless asked for
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
STATUSES = {"subscribed", "unsubscribed", "cleaned", "pending", "transactional"}
STEPS = ("pending", "started", "finished")

Document = dict[str, Any]


class Vendor:
    """Kinds: batches, archived, forgotten, compliance, members/<list> (by hash)."""

    name = "mailchimp"
    environment: ClassVar[Mapping[str, str]] = {
        "MAILCHIMP_URL": "{url}",
        "MAILCHIMP_API_KEY": KEY,
    }

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — a line per route
        parts = request.path.strip("/").split("/")
        if parts[0] == "results":
            return _results(request, store, parts[-1].removesuffix(".tar.gz"))
        said = request.headers.get("authorization", "").removeprefix("Basic ")
        if base64.b64decode(said, validate=False).decode().partition(":")[2] != KEY:
            return _problem(401, "API Key Invalid")
        match (request.method, *parts):
            case ("POST", "batches"):
                return _make(request, store)
            case ("GET", "batches", id_):
                return _look(request, store, id_)
            case ("GET", "lists", list_, *of):
                return _told(request, store, list_, of)
            case ("PUT" | "POST" | "DELETE", "lists", *_):
                return _member(request.method, request.path, request.body, store)
        return _problem(404, "Resource Not Found")

    def failing(self, status: int, seconds: float) -> Answer:
        title = "Too Many Requests" if status == 429 else "Injected"  # noqa: PLR2004
        headers = {"retry-after": f"{seconds:.0f}"} if seconds else {}
        return Answer(status, _problem(status, title).json, headers=headers)


def _problem(status: int, title: str, field: str = "", message: str = "") -> Answer:
    said = [{"field": field, "message": message}] if field else []
    headers = {"content-type": "application/problem+json; charset=utf-8"}
    return Answer(status, {"type": "", "title": title, "status": status, "errors": said}, headers=headers)


def _make(request: Call, store: Store) -> Answer:
    try:
        operations = [(o["method"], o["path"], o.get("body") or "", o.get("operation_id"))
                      for o in request.json()["operations"]]  # fmt: skip
    except (ValueError, LookupError, TypeError):
        operations = []
    if not operations or any(not isinstance(body, str) for _, _, body, _ in operations):
        return _problem(400, "Invalid Resource", "operations", "Operations with a method, a path and a body of text.")
    pending = sum(batch["looks"] < 2 for batch in store.all("batches").values())  # noqa: PLR2004
    if pending >= MOST_PENDING:
        return _problem(429, "Too Many Requests")
    results = []
    for method, path, body, operation_id in operations:
        answer = _member(method, path, body.encode(), store)
        said = {"status_code": answer.status, "operation_id": operation_id, "response": json.dumps(answer.json)}
        results.append(said)
    id_ = f"b{store.count('batches') + 1}"
    store.put("batches", id_, {"looks": 0, "results": results})
    return Answer(200, _batch(request, store, id_))


def _batch(request: Call, store: Store, id_: str) -> Document:
    kept = store.get("batches", id_)
    status, results = STEPS[min(kept["looks"], 2)], kept["results"]
    done = {"finished_operations": len(results), "errored_operations": sum(r["status_code"] >= 400 for r in results)}  # noqa: PLR2004
    if status == "finished":
        done["response_body_url"] = f"http://{request.headers['host']}/mailchimp/results/{id_}.tar.gz"
    return {"id": id_, "status": status, "total_operations": len(results), **(done if status == "finished" else {})}


def _look(request: Call, store: Store, id_: str) -> Answer:
    kept = store.get("batches", id_)
    if not kept:
        return _problem(404, "Resource Not Found")
    store.put("batches", id_, {**kept, "looks": kept["looks"] + 1})
    return Answer(200, _batch(request, store, id_))


def _results(request: Call, store: Store, id_: str) -> Answer:
    """Give the archive, to whom brings no key: the address is the permission."""
    kept = store.get("batches", id_)
    if not kept or "authorization" in request.headers:
        return Answer(400, content=b"<Error><Code>InvalidArgument</Code></Error>")
    packed, file = io.BytesIO(), json.dumps(kept["results"]).encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        folder = tarfile.TarInfo(id_)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        entry = tarfile.TarInfo(f"{id_}/{id_}.json")
        entry.size = len(file)
        archive.addfile(entry, io.BytesIO(file))
    return Answer(200, content=packed.getvalue(), headers={"content-type": "application/gzip"})


def _member(method: str, path: str, body: bytes, store: Store) -> Answer:
    match (method, *path.strip("/").split("?")[0].split("/")):
        case ("PUT", "lists", list_, "members", hash_):
            return _put(list_, hash_, json.loads(body), store)
        case ("DELETE", "lists", list_, "members", hash_):
            return _archive(list_, hash_, store)
        case ("POST", "lists", list_, "members", hash_, "tags"):
            return _tag(list_, hash_, json.loads(body), store)
        case ("POST", "lists", list_):  # the call for many sets the status of everybody named
            for one in json.loads(body)["members"][:MOST_MEMBERS]:
                hash_ = hashlib.md5(one["email_address"].lower().encode(), usedforsecurity=False).hexdigest()
                store.put(f"members/{list_}", hash_, {**(store.get(f"members/{list_}", hash_) or {}), **one})
            return Answer(200, {"new_members": [], "updated_members": [], "errors": [], "error_count": 0})
    return _problem(404, "Resource Not Found")


def _put(list_: str, hash_: str, said: Document, store: Store) -> Answer:
    email, kind = str(said.get("email_address", "")), f"members/{list_}"
    if not EMAIL.fullmatch(email) or email.endswith("@fake.example"):
        return _problem(400, "Invalid Resource", "email_address", "Please provide a valid email address.")
    if hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest() != hash_:
        return _problem(400, "Invalid Resource", "email_address", "The address is not the member's.")
    if store.get("forgotten", hash_) is not None:
        return _problem(400, "Forgotten Email Not Subscribed")
    if store.get("compliance", hash_) is not None:
        return _problem(400, "Member In Compliance State")
    before = store.get(kind, hash_)
    status = said.get("status") or (before["status"] if before else said.get("status_if_new"))
    if status not in STATUSES:
        return _problem(400, "Invalid Resource", "status", "status or status_if_new is required.")
    member = before or {"merge_fields": {}, "tags": []}
    merged = {**member["merge_fields"], **said.get("merge_fields", {})}
    tags = sorted({*member["tags"], *said.get("tags", [])})
    store.drop("archived", hash_)
    store.put(kind, hash_, {"email_address": email, "status": status, "merge_fields": merged, "tags": tags})
    return Answer(200, {"id": hash_, "status": status})


def _archive(list_: str, hash_: str, store: Store) -> Answer:
    member = store.get(f"members/{list_}", hash_)
    if member is None:
        is_archived = store.get("archived", hash_) is not None
        return _problem(405, "Method Not Allowed") if is_archived else _problem(404, "Resource Not Found")
    store.put("archived", hash_, member)
    store.drop(f"members/{list_}", hash_)
    return Answer(204)


def _tag(list_: str, hash_: str, said: Document, store: Store) -> Answer:
    member = store.get(f"members/{list_}", hash_)
    if member is None:
        return _problem(404, "Resource Not Found")
    active = {tag["name"]: tag["status"] == "active" for tag in said["tags"]}
    kept = {name for name in member["tags"] if active.get(name, True)} | {name for name, on in active.items() if on}
    store.put(f"members/{list_}", hash_, {**member, "tags": sorted(kept)})
    return Answer(204)


def _told(request: Call, store: Store, list_: str, of: list[str]) -> Answer:
    """Tell of the members of a list or of a tag, which is a segment; archived ones are on no list."""
    everybody = store.all(f"members/{list_}").values()
    tags = sorted({tag for member in everybody for tag in member["tags"]})
    match of:
        case ["tag-search"]:
            found = [{"id": 100 + n, "name": tag} for n, tag in enumerate(tags) if request.query.get("name", "") in tag]
            return Answer(200, {"tags": found, "total_items": len(found)})
        case ["members"]:
            return _page(request, list(everybody))
        case ["segments", id_, "members"] if id_.isdigit() and 0 <= int(id_) - 100 < len(tags):
            hidden = {s for s in HIDDEN if request.query.get(f"include_{s}") != "true"}
            tag = tags[int(id_) - 100]
            return _page(request, [m for m in everybody if tag in m["tags"] and m["status"] not in hidden])
    return _problem(404, "Resource Not Found")


def _page(request: Call, members: list[Document]) -> Answer:
    count, offset = int(request.query.get("count", 10)), int(request.query.get("offset", 0))
    if not 0 < count <= MOST_ON_A_PAGE:
        return _problem(400, "Invalid Resource", "count", "At most 1000.")
    return Answer(200, {"members": members[offset : offset + count], "total_items": len(members)})

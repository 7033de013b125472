"""TikTok's Business API as far as segments go: HTTP 200 and a code, all or nothing. Token: `sandbox`.

An audience exists when its id is asked for, unless the id ends with 404; POST /segment/audience/ makes others. Each
identifier is mapped on its own.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

TOKEN = "sandbox"  # noqa: S105 — nobody's
SHA256, MD5 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
SCHEMA = {"EMAIL_SHA256", "PHONE_SHA256", "IDFA_SHA256", "AAID_SHA256", "IDFA_MD5", "AAID_MD5"}
MOST_ROWS = 10_000
Document = dict[str, Any]


class Vendor:
    """Kinds: audiences, members/<audience>."""

    name = "tiktok"
    environment: ClassVar[Mapping[str, str]] = {"TIKTOK_URL": "{url}/open_api/v1.3", "TIKTOK_ACCESS_TOKEN": TOKEN}

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — a line per route
        token = request.headers.get("access-token", "")
        if not token:
            return _said(40_104, "Access token is empty.")
        if token != TOKEN:  # also one with "Bearer " before it
            return _said(40_105, "Access token is incorrect or has been revoked.")
        path = re.sub(r"^/open_api/v1\.3", "", request.path)
        if (request.method, path) == ("GET", "/dmp/custom_audience/get/"):
            return _details(request, store)
        try:
            body = request.json()
        except ValueError:
            return _said(40_002, "Invalid JSON.")
        match (request.method, path):
            case ("POST", "/segment/mapping/"):
                return _map(body, store)
            case ("POST", "/segment/audience/"):
                return _audience(body, store)
        return _said(40_006, "No such path.")

    def failing(self, status: int, seconds: float) -> Answer:  # noqa: ARG002 — TikTok doesn't say when to come back
        codes = {429: 40_100, 401: 40_105, 403: 40_001, 400: 40_002, 404: 40_007}
        return _said(codes.get(status, 50_000 if status >= 500 else 40_002), "Injected.")  # noqa: PLR2004


def _said(code: int, message: str = "OK", data: Document | None = None) -> Answer:
    return Answer(200, {"code": code, "message": message, "request_id": "r", "data": data or {}})


def _audience(body: Document, store: Store) -> Answer:
    """Make one, also under a name there is already; or delete it."""
    if body.get("action") == "delete":
        store.drop_all(f"members/{body.get('delete_audience_id')}")
        store.drop("audiences", str(body.get("delete_audience_id")))
        return _said(0)
    if not body.get("advertiser_id") or not body.get("custom_audience_name"):
        return _said(40_002, "advertiser_id and custom_audience_name are required.")
    id_ = str(1_672_000_000 + store.count("audiences"))
    store.put("audiences", id_, {"name": body["custom_audience_name"]})
    return _said(0, data={"audience_id": id_})


def _details(request: Call, store: Store) -> Answer:
    """Tell how many people are recognised: here, everybody who is mapped."""
    try:
        ids = list(json.loads(request.query["custom_audience_ids"]))
    except (ValueError, LookupError, TypeError):
        ids = []
    if not ids or not request.query.get("advertiser_id"):
        return _said(40_002, "advertiser_id and custom_audience_ids are required.")
    if any(id_.endswith("404") for id_ in ids):
        return _said(40_001, "No permission to operate the audience.")
    found = [{"audience_details": {"audience_id": id_, "cover_num": store.count(f"members/{id_}")}} for id_ in ids]
    return _said(0, data={"list": found})


def _map(body: Document, store: Store) -> Answer:
    schema, rows = body.get("id_schema"), body.get("batch_data")
    if not body.get("advertiser_ids") or body.get("action") not in {"add", "delete"}:
        return _said(40_002, "advertiser_ids or action is wrong.")
    if not isinstance(schema, list) or not schema or set(schema) - SCHEMA or len(set(schema)) < len(schema):
        return _said(40_002, "id_schema is wrong.")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        return _said(40_002, f"batch_data has 1 to {MOST_ROWS} rows.")
    if any(_is_wrong(row, schema) for row in rows):
        return _said(40_002, "batch_data is wrong.")
    changed = _changed(rows, schema)
    if any(audience.endswith("404") for audience in changed):
        return _said(40_001, "No permission to operate the audience.")
    for audience, members in changed.items():
        if body["action"] == "add":
            store.put_all(f"members/{audience}", dict.fromkeys(members, True))
        else:
            store.drop_all(f"members/{audience}", members)
    return _said(0)


def _changed(rows: list[list[Document]], schema: list[str]) -> dict[str, set[str]]:
    """Audience → identifiers that are mapped to it."""
    changed: dict[str, set[str]] = {}
    for row in rows:
        for key, cell in zip(schema, row, strict=True):
            for audience in cell.get("audience_ids", []):
                changed.setdefault(str(audience), set()).add(f"{key}={cell['id']}")
    return changed


def _is_wrong(row: Any, schema: list[str]) -> bool:
    """Whether a row lacks a place for a column, holds nobody, or something else than hashes of the column's kind."""
    if not isinstance(row, list) or len(row) != len(schema) or not any(row):
        return True
    for key, cell in zip(schema, row, strict=True):
        shape = MD5 if key.endswith("MD5") else SHA256
        is_hash = isinstance(cell, dict) and shape.fullmatch(str(cell.get("id"))) and cell.get("audience_ids")
        if cell != {} and not is_hash:
            return True
    return False

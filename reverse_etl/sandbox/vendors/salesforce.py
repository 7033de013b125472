"""Salesforce as far as contacts go: sessions, collections of 200, a query in a composite request.

Client id and secret: sandbox. Fields ending in __c exist, except those that begin with `No`. A boolean field that is
true is a membership. Documents of the kind `locked` name external ids whose rows are locked.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

CLIENT = "sandbox"
MOST_RECORDS, MOST_ON_A_PAGE = 200, 2_000
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
SOQL = re.compile(r"SELECT Id, (\w+) FROM (\w+) WHERE \1 IN \((.*)\)")
ALL = re.compile(r"SELECT (\w+) FROM (\w+) WHERE (\w+) (= true|!= null)")
LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
STANDARD = {"Email", "Phone", "FirstName", "LastName", "Title", "MailingCity", "MailingPostalCode", "Birthdate"}

Document = dict[str, Any]


class Vendor:
    """Kinds: sessions, records (by id), ids (of an external id), locked, members/<boolean field>."""

    name = "salesforce"
    environment: ClassVar[Mapping[str, str]] = {
        "SALESFORCE_URL": "{url}",
        "SALESFORCE_CLIENT_ID": CLIENT,
        "SALESFORCE_CLIENT_SECRET": CLIENT,
    }

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — a line per route
        if request.path == "/services/oauth2/token":
            return _token(request, store)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if store.get("sessions", token) is None:
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        match (request.method, *request.path.strip("/").split("/")[3:]):
            case ("GET", "query", *rest):
                return _selected(request, store, rest)
            case ("POST", "composite"):
                return _composite(request, store)
            case ("PATCH", "composite", "sobjects", object_, field):
                return _collection(request, store, object_, field)
            case ("PATCH", "composite", "sobjects"):
                return _collection(request, store, "", "id")
            case ("DELETE", "composite", "sobjects"):
                return _delete(request, store)
        return _error(404, "NOT_FOUND", "The requested resource does not exist")

    def failing(self, status: int, seconds: float) -> Answer:
        code = {401: "INVALID_SESSION_ID", 403: "REQUEST_LIMIT_EXCEEDED", 500: "SERVER_TOO_BUSY"}.get(status, "ERROR")
        return replace(_error(status, code, "Injected"), headers={"retry-after": f"{seconds:.0f}"} if seconds else {})


def _error(status: int, code: str, message: str) -> Answer:
    headers = {"sforce-limit-info": "api-usage=25/15000"}
    return Answer(status, [{"message": message, "errorCode": code}], headers=headers)


def _failed(code: str, *fields: str) -> Document:
    return {"success": False, "errors": [{"statusCode": code, "message": code, "fields": list(fields)}]}


def _token(request: Call, store: Store) -> Answer:
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    if form.get("grant_type") != "client_credentials":
        return Answer(400, {"error": "unsupported_grant_type"})
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT, CLIENT):
        return Answer(400, {"error": "invalid_client_id", "error_description": "client identifier invalid"})
    token = f"00Dsandbox!{store.count('sessions') + 1}"
    store.put("sessions", token, {})
    instance = f"http://{request.headers['host']}/salesforce"
    return Answer(200, {"access_token": token, "instance_url": instance, "token_type": "Bearer"})


def _collection(request: Call, store: Store, object_: str, field: str) -> Answer:
    try:
        said = request.json()
        records = list(said["records"])
        types = {record["attributes"]["type"] for record in records}
    except (ValueError, LookupError, TypeError):
        return _error(400, "JSON_PARSER_ERROR", "Malformed")
    if not 0 < len(records) <= MOST_RECORDS:
        return _error(400, "LIMIT_EXCEEDED", f"At most {MOST_RECORDS} records")
    if said.get("allOrNone") is not False or (object_ and types != {object_}):
        return _error(400, "INVALID_INPUT", "The sandbox takes allOrNone false and one type")
    names = {name for record in records for name in record} - {"attributes", "id"}
    if stray := sorted(n for n in names if n not in STANDARD and (not n.endswith("__c") or n.startswith("No"))):
        return _error(400, "INVALID_FIELD", f"No such column '{stray[0]}' on sobject")
    if field != "id" and any(not str(record.get(field) or "") for record in records):
        return _error(400, "MISSING_ARGUMENT", f"{field} not specified")
    keys = [str(record.get(field)).lower() for record in records]
    return Answer(200, [_upsert(store, record, field, is_twice=keys.count(key) > 1)
                        for record, key in zip(records, keys, strict=True)])  # fmt: skip


def _upsert(store: Store, record: Document, field: str, *, is_twice: bool) -> Document:
    """Write one record, or say why not; the others are written all the same."""
    key = str(record[field])
    id_ = key if field == "id" else store.get("ids", f"{field}:{key.lower()}")
    before = store.get("records", id_) if id_ else None
    if is_twice:
        return _failed("DUPLICATE_EXTERNAL_ID", field)
    if store.get("locked", key) is not None:
        return _failed("UNABLE_TO_LOCK_ROW")
    if field == "id" and before is None:
        return _failed("ENTITY_IS_DELETED")
    if before is None and not record.get("LastName"):
        return _failed("REQUIRED_FIELD_MISSING", "LastName")
    if record.get("Email") and not EMAIL.fullmatch(str(record["Email"])):
        return _failed("INVALID_EMAIL_ADDRESS", "Email")
    id_ = id_ if before is not None and id_ else f"003{store.count('ids') + 1:015d}"
    written = {name: value for name, value in record.items() if name not in {"attributes", "id"}}
    store.put("records", id_, {name: v for name, v in {**(before or {}), **written}.items() if v is not None})
    if field != "id":
        store.put("ids", f"{field}:{key.lower()}", id_)
    for name, value in written.items():
        if value is True:
            store.put(f"members/{name}", id_, {"found_by": key if field != "id" else id_})
        elif value is False:
            store.drop(f"members/{name}", id_)
    return {"id": id_, "success": True, "created": before is None, "errors": []}


def _composite(request: Call, store: Store) -> Answer:
    """A query among others: any number of subrequests would go, this takes one."""
    try:
        (sub,) = request.json()["compositeRequest"]
        url = urlsplit(sub["url"])
    except (ValueError, LookupError, TypeError):
        return _error(400, "JSON_PARSER_ERROR", "Malformed")
    asked = SOQL.fullmatch(parse_qs(url.query).get("q", [""])[0])
    if not asked or sub["method"] != "GET" or not url.path.endswith("/query/"):
        body: Any = [{"message": "unexpected token", "errorCode": "MALFORMED_QUERY"}]
        return Answer(200, {"compositeResponse": [{"body": body, "httpStatusCode": 400, "referenceId": "found"}]})
    field = asked[1]
    keys = [re.sub(r"\\(.)", r"\1", literal) for literal in LITERAL.findall(asked[3])]
    ids = store.some("ids", [f"{field}:{key.lower()}" for key in keys]).values()
    found = [{"attributes": {"type": asked[2]}, "Id": id_, field: record[field]}
             for id_, record in store.some("records", ids).items()]  # fmt: skip
    body = {"totalSize": len(found), "done": True, "records": found}
    return Answer(200, {"compositeResponse": [{"body": body, "httpStatusCode": 200, "referenceId": "found"}]})


def _selected(request: Call, store: Store, rest: list[str]) -> Answer:
    """Answer a query, or give its next page: the locator says which query, and from where on."""
    locator = rest[0] if rest and rest[0] else ""
    soql, start = (store.get("queries", locator) or ["", 0]) if locator else (request.query.get("q", ""), 0)
    asked = ALL.fullmatch(soql)
    if not asked:
        return _error(400, "MALFORMED_QUERY", "unexpected token")
    field, object_, by, condition = asked.groups()
    held = [one for one in store.all("records").values() if (one.get(by) is True if "true" in condition else by in one)]
    page = held[start : start + MOST_ON_A_PAGE]
    records = [{"attributes": {"type": object_}, field: one.get(field)} for one in page]
    said: Document = {"totalSize": len(held), "done": start + len(page) >= len(held), "records": records}
    if not said["done"]:
        following = f"01g{store.count('queries') + 1}-{start + MOST_ON_A_PAGE}"
        store.put("queries", following, [soql, start + MOST_ON_A_PAGE])
        said["nextRecordsUrl"] = f"/services/data/{request.path.split('/')[3]}/query/{following}"
    return Answer(200, said)


def _delete(request: Call, store: Store) -> Answer:
    ids = request.query.get("ids", "").split(",")
    if not 0 < len(ids) <= MOST_RECORDS or request.query.get("allOrNone") != "false":
        return _error(400, "LIMIT_EXCEEDED", f"At most {MOST_RECORDS} records, allOrNone false")
    results = []
    for id_ in ids:
        if store.drop("records", id_):
            for kind in store.kinds("members/"):
                store.drop(kind, id_)
            results.append({"id": id_, "success": True, "errors": []})
        else:
            results.append(_failed("ENTITY_IS_DELETED"))
    return Answer(200, results)

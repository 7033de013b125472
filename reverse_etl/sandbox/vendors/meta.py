"""Meta's Graph API as far as custom audiences and conversions go. Token: `sandbox`; app secret: `sandbox_app`.

An audience exists when its id is asked for, unless the id ends with 404; one that ends with 471 is flagged, and one
that ends with 100 refuses removals that would leave fewer than a hundred. POST /act_1/customaudiences makes others.
A row is found again by all its identifiers, else by its EXTERN_ID, else by any e-mail, phone or advertising id.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from reverse_etl.normalise.hashing import meta_appsecret_proof
from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call
from reverse_etl.sandbox.vendors import meta_events
from reverse_etl.sandbox.vendors.meta_events import error, usage
from reverse_etl.sandbox.vendors.meta_replace import finish, is_replacing, received, refusal, session_flaw

TOKEN, APP_SECRET = "sandbox", "sandbox_app"
HASHED = ("EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT", "ST", "ZIP", "COUNTRY")
RAW = ("EXTERN_ID", "MADID", "APPUID", "PAGEUID")
STRONG = ("EMAIL", "PHONE", "MADID")
OPTIONS = ("DATA_PROCESSING_OPTIONS", "DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE")
VALUE = "LOOKALIKE_VALUE"
SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_ROWS, LEAST_LEFT, MOST_SAMPLES, NORMAL = 10_000, 100, 100, 200
Document = dict[str, Any]


class Vendor:
    """Kinds: audiences, members/<audience>, sessions, replacing, staged/<audience>, events/<dataset>."""

    name = "meta"
    environment: ClassVar[Mapping[str, str]] = {"META_URL": "{url}/v25.0", "META_ACCESS_TOKEN": TOKEN}

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — one per route
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(190, "Invalid OAuth access token.", 467, kind="OAuthException")
        proof = request.query.get("appsecret_proof", "")
        if proof and proof != meta_appsecret_proof(APP_SECRET, TOKEN):
            return error(100, "Invalid appsecret_proof provided in the API argument")
        parts = re.sub(r"^/v\d+\.\d+", "", request.path).strip("/").split("/")
        method = request.query.get("method", request.method)
        match (method, *parts):
            case ("POST", account, "customaudiences") if re.fullmatch(r"act_\d+", account):
                return _create(request, store)
            case ("DELETE", account, "usersofanyaudience") if re.fullmatch(r"act_\d+", account):
                return _forget(request, store)
            case ("POST", dataset, "events") if dataset.isdigit():
                return meta_events.receive(request, store, dataset)
            case ("GET", id_) if id_.isdigit():
                return _read(store, id_)
            case ("GET", id_, "sessions") if id_.isdigit():
                session = store.get("sessions", f"{id_}/{request.query.get('session_id')}")
                return Answer(200, {"data": [session["shown"]] if session else []})
            case ("POST" | "DELETE", id_, "users" | "usersreplace" as edge) if id_.isdigit():
                return _upload(request, store, id_, edge if edge == "usersreplace" else method)
        return error(100, "Unsupported request", 33, kind="GraphMethodException")

    def failing(self, status: int, seconds: float) -> Answer:
        match status:
            case 429:
                wait = {"estimated_time_to_regain_access": seconds / 60}
                return error(80_003, "There have been too many calls to this ad-account.", used=wait)
            case 401:
                return error(190, "Error validating access token.", 463, kind="OAuthException")
            case 403:
                return error(200, "Permissions error", 1_870_090)
        if status < 500:  # noqa: PLR2004
            return error(100, "Invalid parameter")
        return error(2, "An unexpected error has occurred. Please retry.", status=status, is_transient=True)


def _audience(store: Store, id_: str) -> Document | None:
    if id_.endswith("404"):
        return None
    flagged = {"code": 471, "description": "Flagged"} if id_.endswith("471") else {"code": 200, "description": "Normal"}
    given = {"id": id_, "subtype": "CUSTOM", "is_value_based": False, "operation_status": flagged}
    return given | (store.get("audiences", id_) or {})


def _create(request: Call, store: Store) -> Answer:
    wanted = request.json()
    if wanted.get("subtype") != "CUSTOM" or not wanted.get("name") or not wanted.get("customer_file_source"):
        return error(100, "Invalid parameter")
    id_ = str(23_800_000_000_000 + store.count("audiences") * 1_000)
    store.put("audiences", id_, {"name": wanted["name"], "is_value_based": bool(wanted.get("is_value_based"))})
    return Answer(200, {"id": id_})


def _read(store: Store, id_: str) -> Answer:
    if (audience := _audience(store, id_)) is None:
        return error(100, "Unsupported get request.", 33, kind="GraphMethodException")
    count = store.count(f"members/{id_}")
    shown = count if count >= LEAST_LEFT else -1
    status = (
        {"code": 414, "description": "Being replaced"} if store.get("replacing", id_) else audience["operation_status"]
    )
    counts = {"approximate_count_lower_bound": shown, "approximate_count_upper_bound": shown}
    return Answer(200, {**audience, **counts, "operation_status": status})


def _upload(request: Call, store: Store, id_: str, way: str) -> Answer:  # noqa: PLR0911 — a vendor says no in many ways
    """`way`: POST, DELETE or usersreplace."""
    audience = _audience(store, id_)
    if audience is None:
        return error(100, "Unsupported post request.", 33, kind="GraphMethodException")
    if audience["operation_status"]["code"] != NORMAL:
        return error(100, "Uploads to this audience are blocked.", 1_713_230)
    try:
        schema, data, session = _asked(request)
    except (ValueError, LookupError, TypeError, AttributeError):
        return error(100, "Invalid parameter")
    flaw = _flaw(schema, data, way, is_value_based=audience["is_value_based"])
    if flaw := flaw or session_flaw(store, id_, schema, session):
        return error(100, flaw)
    if way != "usersreplace" and is_replacing(store, id_, request.now):
        return error(2650, "The audience is being replaced.", 1_870_145)
    if way == "usersreplace" and (no := refusal(store, id_, session, request.now)):
        return no
    rows = [dict(zip(schema, cells, strict=True)) for cells in data]
    wrong = [row for row in rows if _first_wrong(row) or not key_of(row)]
    if not _apply(store, id_, way, [row for row in rows if not (wrong and row in wrong)]):
        return error(100, "Removing these users would leave a low audience size.")
    if way == "usersreplace" and session.get("last_batch_flag"):
        finish(store, id_)
    count = received(store, id_, schema, session, rows=len(rows), wrong=len(wrong))
    said = {"audience_id": id_, "session_id": str(session.get("session_id", 0)), "num_received": count}
    samples = {_first_wrong(row): "Invalid value" for row in wrong[:MOST_SAMPLES]}
    return Answer(
        200,
        {**said, "num_invalid_entries": len(wrong), "invalid_entry_samples": samples},
        headers=usage({"call_count": 1}),
    )


def _asked(request: Call) -> tuple[list[str], Any, Document]:
    """Schema, data and session; one key may stand for a list of one, and its data be flat."""
    asked = request.json()
    schema, data = asked["payload"]["schema"], asked["payload"]["data"]
    if isinstance(schema, str):
        schema, data = [schema], [[cell] for cell in data]
    return [str(key).removesuffix("_SHA256") for key in schema], data, dict(asked.get("session") or {})


def _apply(store: Store, id_: str, way: str, rows: Sequence[Document]) -> bool:
    kind = f"members/{id_}"
    if way != "DELETE":
        store.put_all(f"staged/{id_}" if way == "usersreplace" else kind, {key_of(row): row for row in rows})
        return True
    leaving = _found(store, kind, rows)
    if leaving and id_.endswith("100") and store.count(kind) - len(leaving) < LEAST_LEFT:
        return False
    store.drop_all(kind, leaving)
    return True


def key_of(row: Document) -> str:
    """Name the member that a row is: its identifiers."""
    return "|".join(f"{key}={row[key]}" for key in (*RAW, *HASHED) if row.get(key))


def _flaw(schema: list[str], data: Any, way: str, *, is_value_based: bool) -> str:
    if not isinstance(data, list) or not 0 < len(data) <= MOST_ROWS:
        return f"data must have 1 to {MOST_ROWS} rows"
    if set(schema) - {*HASHED, *RAW, *OPTIONS, VALUE} or len(set(schema)) < len(schema):
        return "Invalid schema"
    if any(not isinstance(cells, list) or len(cells) != len(schema) for cells in data):
        return "Data is missing or does not match schema"
    if VALUE in schema and not is_value_based:
        return "LOOKALIKE_VALUE is only for value-based audiences: data does not match schema"
    if is_value_based and way != "DELETE" and VALUE not in schema:
        return "LOOKALIKE_VALUE is missing: data does not match schema"
    return ""


def _first_wrong(row: Document) -> str:
    """Give the first value that isn't what its column takes: a plain one where a hash belongs, an address anywhere."""
    for key, value in row.items():
        is_bad_hash = key in HASHED and value != "" and not SHA256.fullmatch(str(value))
        is_bad_value = key == VALUE and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0)
        if is_bad_hash or is_bad_value or (key in RAW and "@" in str(value)):
            return str(value)
    return ""


def _found(store: Store, kind: str, rows: Sequence[Document]) -> set[str]:
    """Find who is meant."""
    exact = set(store.some(kind, {key_of(row) for row in rows}))
    vague = [row for row in rows if key_of(row) not in exact]
    own = {row["EXTERN_ID"] for row in vague if row.get("EXTERN_ID")}
    strong = {(key, row[key]) for row in vague if not row.get("EXTERN_ID") for key in STRONG if row.get(key)}
    if not own and not strong:
        return exact
    return exact | {
        key
        for key, row in store.all(kind).items()
        if row.get("EXTERN_ID") in own or any((name, row.get(name)) in strong for name in STRONG)
    }


def _forget(request: Call, store: Store) -> Answer:
    """Erase people from every audience."""
    payload = request.json()["payload"]
    rows = [dict(zip(payload["schema"], cells, strict=True)) for cells in payload["data"]]
    for kind in store.kinds("members/"):
        store.drop_all(kind, _found(store, kind, rows))
    return Answer(200, {"num_received": len(rows), "num_invalid_entries": 0, "invalid_entry_samples": {}})

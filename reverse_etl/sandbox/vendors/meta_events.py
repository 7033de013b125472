"""Meta's Conversions API, and how Meta says no. One wrong event refuses the request."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

HASHED = ("em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country")
RAW = ("external_id", "client_ip_address", "client_user_agent", "fbc", "fbp", "subscription_id", "lead_id", "madid")
SOURCES = {
    "website",
    "app",
    "physical_store",
    "system_generated",
    "email",
    "phone_call",
    "chat",
    "business_messaging",
    "other",
}
SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_EVENTS, OLDEST, OLDEST_OFFLINE = 1_000, timedelta(days=7), timedelta(days=62)
SAME_EVENT = timedelta(hours=48)
INVALID, TOO_OLD = 2_804_001, 2_804_003


def error(
    code: int,
    message: str,
    subcode: int | None = None,
    *,
    status: int = 400,
    kind: str = "FacebookApiException",
    is_transient: bool = False,
    used: dict[str, Any] | None = None,
) -> Answer:
    """Most of Meta's errors are a 400, whatever they mean."""
    said = {"message": message, "type": kind, "code": code, "is_transient": is_transient, "fbtrace_id": "A"}
    said |= {"error_subcode": subcode} if subcode else {}
    return Answer(status, {"error": said}, headers=usage(used) if used else {})


def usage(values: dict[str, Any]) -> dict[str, str]:
    """Make the header that says how near the limit of an ad account is, in percent."""
    counts = {"call_count": 0, "total_cputime": 0, "total_time": 0, "estimated_time_to_regain_access": 0}
    return {"x-business-use-case-usage": json.dumps({"1": [{"type": "custom_audience", **counts, **values}]})}


def receive(request: Call, store: Store, dataset: str) -> Answer:
    if dataset.endswith("404"):
        return error(100, "Unsupported post request.", 33, kind="GraphMethodException")
    try:
        events = request.json()["data"]
    except (ValueError, LookupError, TypeError):
        return error(100, "Invalid parameter", INVALID)
    if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        return error(100, f"data must have 1 to {MOST_EVENTS} events", INVALID)
    for event in events:
        if flaw := _flaw(event, request.now):
            return error(100, flaw[0], flaw[1])
    for event in events:
        _keep(store, dataset, event, request.now)
    return Answer(200, {"events_received": len(events), "messages": [], "fbtrace_id": "A"})


def _flaw(event: dict[str, Any], now: datetime) -> tuple[str, int] | None:
    if not event.get("event_name") or event.get("action_source") not in SOURCES:
        return "Invalid parameter: event_name or action_source", INVALID
    moment, user = event.get("event_time"), event.get("user_data")
    if not isinstance(moment, int) or not isinstance(user, dict) or not user:
        return "Invalid parameter: event_time or user_data", INVALID
    age = now.replace(tzinfo=UTC) - datetime.fromtimestamp(moment, UTC)
    if age > (OLDEST_OFFLINE if event["action_source"] == "physical_store" else OLDEST) or age < -timedelta(minutes=1):
        return "Event Timestamp Too Old", TOO_OLD
    for key, value in user.items():
        values = value if isinstance(value, list) else [value]
        if key not in (*HASHED, *RAW) or (key in HASHED and not all(SHA256.fullmatch(str(one)) for one in values)):
            return f"Invalid parameter: user_data[{key}] must be hashed", 2_804_019
    if event["event_name"] == "Purchase" and not (event.get("custom_data") or {}).get("currency"):
        return "Invalid parameter: custom_data[currency]", 2_804_016
    return None


def _keep(store: Store, dataset: str, event: dict[str, Any], now: datetime) -> None:
    """The same name and id within two days is the same event, and counts once."""
    kind, id_ = f"events/{dataset}", event.get("event_id")
    key = f"{event['event_name']}/{id_}" if id_ else f"{event['event_name']}/#{store.count(kind)}"
    known = store.get(kind, key)
    if known and now - datetime.fromisoformat(known["received_at"]) <= SAME_EVENT:
        store.put(kind, key, {**known, "received": known["received"] + 1})
        return
    if known:
        key = f"{key}#{store.count(kind)}"
    store.put(kind, key, {"event": event, "received": 1, "received_at": now.isoformat()})

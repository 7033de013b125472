"""Conversions sent to Google: one transaction counts once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendors.google_checks import Violation, bad_consent, bad_user_data

SOURCES = {"WEB", "APP", "IN_STORE", "PHONE", "OTHER"}
MOST_EVENTS, OLDEST = 2_000, timedelta(days=90)
REASON = "PROCESSING_ERROR_REASON_"


def flaws(said: dict[str, Any]) -> list[Violation]:
    events = said.get("events") or []
    if not 0 < len(events) <= MOST_EVENTS:
        return [("events", "TOO_MANY_EVENTS" if events else "REQUIRED_FIELD_MISSING", "1 to 2000.")]
    if any("userData" in event for event in events) and said.get("encoding") not in {"HEX", "BASE64"}:
        return [("encoding", "REQUIRED_FIELD_MISSING", "HEX or BASE64.")]
    return [flaw for number, event in enumerate(events) for flaw in _flaws(event, f"events[{number}]")]


def _flaws(event: dict[str, Any], path: str) -> list[Violation]:
    found = bad_consent(event.get("consent") or {}, f"{path}.consent")
    try:
        datetime.fromisoformat(event.get("eventTimestamp", ""))
    except ValueError:
        found.append((f"{path}.event_timestamp", "INVALID_TIMESTAMP", "RFC 3339."))
    if event.get("eventSource", "WEB") not in SOURCES:
        found.append((f"{path}.event_source", "INVALID_ENUM_VALUE", "No such source."))
    if not event.get("adIdentifiers") and not event.get("userData"):
        found.append((path, "REQUIRED_FIELD_MISSING", "A click or a person."))
    if "conversionValue" in event and not event.get("currency"):
        found.append((f"{path}.currency", "REQUIRED_FIELD_MISSING", "A value has a currency."))
    return found + (bad_user_data(event["userData"], f"{path}.user_data") if "userData" in event else [])


def keep(store: Store, id_: str, said: dict[str, Any], now: datetime) -> dict[str, int]:
    """Keep what is new and not too old; count the rest by reason."""
    counts: dict[str, int] = {}
    kind = f"events/{id_}"
    for event in said["events"]:
        moment = datetime.fromisoformat(event["eventTimestamp"])
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        consent = {**(said.get("consent") or {}), **(event.get("consent") or {})}
        key = event.get("transactionId") or f"#{store.count(kind)}"
        reason = ""
        if "CONSENT_DENIED" in consent.values():
            reason = "DENIED_CONSENT"
        elif now.replace(tzinfo=UTC) - moment > OLDEST:
            reason = "EVENT_TOO_OLD"
        elif store.get(kind, key) is not None:
            reason = "DUPLICATE_TRANSACTION_ID"
        if reason:
            counts[f"{REASON}{reason}"] = counts.get(f"{REASON}{reason}", 0) + 1
        else:
            store.put(kind, key, event)
    return counts

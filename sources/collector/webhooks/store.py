"""Tills and loyalty terminals of stores, signed by Standard Webhooks: receipts, members, coupons, and scanned cards.

A scan is behaviour, not a document: it becomes an event, and is in the line the moment the card is shown.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sources.collector.settings import Hook
from sources.collector.signatures import check_standard, standard_key
from sources.collector.webhook import Delivery, Event, Row, Signed, UnknownContent

ROWS = {"loyalty_member.updated": "loyalty_members", "coupon.redeemed": "coupon_redemptions"}

key = standard_key


def verify(delivery: Delivery, keys: tuple[bytes, ...]) -> Signed:
    return Signed(check_standard(delivery.headers, delivery.body, keys), delivery.received_at)


def contents(signed: Signed, payload: dict[str, Any], _hook: Hook) -> Iterable[Row | Event]:
    """Yield what the delivery's `type` says."""
    kind, data = payload["type"], dict(payload["data"])
    if kind == "receipt.completed":
        yield Row("store_receipts.receipts", data)
        for number, line in enumerate(data.get("lines") or (), start=1):
            yield Row("store_receipts.receipt_lines", {"line_number": number, **line, "receipt_id": data["receipt_id"]})
    elif kind == "loyalty_card.scanned":
        yield Event(scan_of(data, signed))
    elif kind in ROWS:
        yield Row(f"store_receipts.{ROWS[kind]}", data)
    else:
        raise UnknownContent("unknown_topic")


def scan_of(data: dict[str, Any], signed: Signed) -> dict[str, Any]:
    """Return a track call; the card is who it was, known as a person only through its loyalty number."""
    number = str(data["loyalty_number"])
    card = hashlib.sha256(f"loyalty card {number}".encode()).hexdigest()[:32]
    places = {name: data[name] for name in ("store_id", "register_id") if name in data}
    return {
        "type": "track",
        "event": "Loyalty Card Scanned",
        "messageId": str(data.get("scan_id") or signed.identity),
        "anonymousId": f"card-{card}",
        "timestamp": data.get("scanned_at") or signed.received_at,
        "properties": {"loyalty_number": number, **places},
        "context": {"library": {"name": "store webhook"}},
    }

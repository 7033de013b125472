"""Stripe: charges and refunds."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sources.collector.settings import Hook
from sources.collector.signatures import check, check_time, digest, plain_key
from sources.collector.webhook import Delivery, Row, Signed, UnknownContent

key = plain_key


def verify(delivery: Delivery, keys: tuple[bytes, ...]) -> Signed:
    """Check `t` and the `v1` signatures over `t.body`."""
    parts = [part.partition(b"=")[::2] for part in delivery.headers.get(b"stripe-signature", b"").split(b",")]
    timestamp = next((value for name, value in parts if name.strip() == b"t"), b"")
    check_time(timestamp)
    given = [value.strip() for name, value in parts if name.strip() == b"v1"]
    signed = timestamp + b"." + delivery.body
    check(given, (digest(key, signed).hex().encode() for key in keys))
    # The event's own id stands in the body, and the same event has the same bytes.
    return Signed("", delivery.received_at)


def contents(_signed: Signed, payload: dict[str, Any], _hook: Hook) -> Iterable[Row]:
    """Yield the version of the charge or refund that the event tells of."""
    what = payload["data"]["object"]
    if what.get("object") == "charge":
        yield Row("finance.payments", payment_of(what))
    elif what.get("object") == "refund":
        yield Row("finance.refunds", refund_of(what))
    else:
        raise UnknownContent("unknown_topic")


def payment_of(charge: dict[str, Any]) -> dict[str, Any]:
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    return {
        **charge,
        "created": moment_of(charge["created"]),
        "customer_id": charge.get("customer"),
        "payment_intent_id": charge.get("payment_intent"),
        "order_id": (charge.get("metadata") or {}).get("order_id"),
        "card_fingerprint": card.get("fingerprint"),
    }


def refund_of(refund: dict[str, Any]) -> dict[str, Any]:
    order = (refund.get("metadata") or {}).get("order_id")
    return {**refund, "created": moment_of(refund["created"]), "charge_id": refund.get("charge"), "order_id": order}


def moment_of(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")

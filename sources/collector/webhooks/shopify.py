"""Shopify: orders and their lines. It gives up on us after eight tries in four hours, so we answer at once."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sources.collector.settings import Hook
from sources.collector.signatures import check, digest, plain_key, unbase64
from sources.collector.webhook import Delivery, Row, Signed, UnknownContent

ADDRESS = ("first_name", "last_name", "address1", "city", "zip", "country_code")
SPELT = {"address1": "address_1"}

key = plain_key


def verify(delivery: Delivery, keys: tuple[bytes, ...]) -> Signed:
    """Check the HMAC of the very bytes."""
    given = unbase64(delivery.headers.get(b"x-shopify-hmac-sha256", b""))
    check([given], (digest(key, delivery.body) for key in keys))
    identity, topic = (delivery.headers.get(b"x-shopify-" + name, b"") for name in (b"webhook-id", b"topic"))
    return Signed(identity.decode("latin-1"), delivery.received_at, topic.decode("latin-1"))


def contents(signed: Signed, payload: dict[str, Any], _hook: Hook) -> Iterable[Row]:
    """Yield the order and its lines; other topics are nobody's here."""
    if not signed.topic.startswith("orders/"):
        raise UnknownContent("unknown_topic")
    yield Row("web_orders.orders", order_of(payload))
    for index, line in enumerate(payload.get("line_items") or ()):
        yield Row("web_orders.order_lines", line_of(line, payload["id"], index))


def order_of(payload: dict[str, Any]) -> dict[str, Any]:
    """Flatten the shipping address, as exports do."""
    address = payload.get("shipping_address") or {}
    flat = {f"shipping_address_{SPELT.get(name, name)}": address.get(name) for name in ADDRESS}
    customer = (payload.get("customer") or {}).get("id")
    return {**payload, **flat, "id": str(payload["id"]), "customer_id": str(customer) if customer else None}


def line_of(line: dict[str, Any], order_id: object, index: int) -> dict[str, Any]:
    """Return a line with its total before discount; Shopify tells the price of one."""
    total = Decimal(str(line["price"])) * int(line["quantity"])
    ids = {name: str(line[name]) for name in ("id", "product_id") if line.get(name)}
    return {**line, **ids, "order_id": str(order_id), "index": index, "price": str(total)}

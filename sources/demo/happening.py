"""What a shopper of the demo does now: events by Segment's SDK, a change of mind by a signed webhook."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from sources.collector.signatures import digest, standard_key
from sources.demo.sending import NotSent

SETTINGS = """\
# Of `cdp demo --live`, written anew each time.
sources:
  server: {{write_key: {key}, kind: server}}
webhooks:
  preferences: {{kind: standard, secrets: [{secret}], tables: [consent.choices]}}
"""


class Shopper:
    """Somebody who is logged in at the shop."""

    def __init__(self, client: Any, user_id: str) -> None:
        self._client = client
        self.user_id = user_id
        self.cart_id = f"cart-{uuid.uuid4()}"

    def views(self, product_id: str) -> None:
        self._does("Product Viewed", product_id=product_id)

    def adds(self, product_id: str, price: float) -> None:
        self._does("Product Added", product_id=product_id, cart_id=self.cart_id, price=price)

    def starts_checkout(self, value: float) -> None:
        self._does("Checkout Started", cart_id=self.cart_id, value=value)

    def buys(self, total: float) -> None:
        self._does("Order Completed", cart_id=self.cart_id, order_id=f"web-{self.cart_id[-12:]}", total=total)

    def _does(self, event: str, **properties: object) -> None:
        self._client.track(user_id=self.user_id, event=event, properties=properties)


@contextmanager
def sdk(write_key: str, host: str) -> Iterator[Any]:
    """The SDK as a shop's server uses it, but for a batch that leaves at once."""
    from segment.analytics.client import Client  # noqa: PLC0415 - of the extra `demo`

    faults: list[Exception] = []
    client = Client(write_key, host=host, upload_interval=0.05, on_error=lambda fault, _: faults.append(fault))
    try:
        yield client
    finally:
        client.shutdown()
    if faults:
        raise NotSent(f"the demo's collector refused events: {type(faults[0]).__name__}")


def withdraw(host: str, secret: str, user_id: str) -> None:
    """Take back every consent to be marketed or advertised to, as a preference centre would send it."""
    said = {
        "user_id": user_id,
        "channel": "any",
        "status": "withdrawn",
        "method": "preference centre",
        "source": "preference centre",
        "collected_at": datetime.now(UTC).isoformat(),
    }
    rows = [{"id": f"cc-{uuid.uuid4()}", "purpose": purpose, **said} for purpose in ("marketing", "advertising")]
    body = json.dumps({"type": "consent.choices", "data": rows}).encode()
    identity, at = str(uuid.uuid4()), str(int(time.time()))
    signature = base64.b64encode(digest(standard_key(secret), f"{identity}.{at}.".encode() + body)).decode()
    headers = {"webhook-id": identity, "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    answer = httpx.post(f"{host}/webhooks/preferences", content=body, headers=headers)
    if answer.status_code != httpx.codes.OK:
        raise NotSent(f"the demo's collector answered {answer.status_code} to a change of mind")

"""Senders of webhooks, who sign as the vendors do."""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta

from door import Door
from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a secret of the tills, long enough").decode()


def shopify(hooks: Door, payload, *, topic="orders/create", secret="new", identity=None, name="shopify"):  # noqa: S107
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {
        "x-shopify-hmac-sha256": base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode(),
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": identity or str(uuid.uuid4()),
    }
    return hooks.post(f"/webhooks/{name}", body, headers, key=None)


def standard(hooks: Door, name, payload, identity="d1", *, minutes=0, secret=SECRET):
    body, at = json.dumps(payload), datetime.now(UTC) + timedelta(minutes=minutes)
    signature = Webhook(secret).sign(identity, at, body)
    headers = {"webhook-id": identity, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    return hooks.post(f"/webhooks/{name}", body, headers, key=None)

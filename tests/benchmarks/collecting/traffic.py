"""Requests as browsers send them: an event of about 1 KB, alone or a hundred at a time."""

from __future__ import annotations

import base64
import json
from pathlib import Path

KEY = "wk_benchmark"
ID = "@" * 16  # the load generator puts a new id here
EVENT_BYTES = 1024


def event() -> dict:
    found = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"ajs-next-{ID}-bench",
        "anonymousId": "3f1c2b7a-0001-4000-8000-0123456789ab",
        "userId": "user-12345",
        "timestamp": "2026-11-26T10:00:00.000Z",
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
            "locale": "en-GB",
            "timezone": "Europe/Berlin",
            "page": {"path": "/products/shoe", "search": "?q=shoe", "title": "A shoe", "url": "https://shop.example/"},
            "campaign": {"source": "newsletter", "medium": "email"},
        },
        "properties": {"product_id": "P-1234", "name": "Running shoe", "price": 89.5, "currency": "EUR", "note": ""},
        "integrations": {},
    }
    found["properties"]["note"] = "x" * (EVENT_BYTES - len(packed(found)))
    return found


def packed(body: dict) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def write_request(file: Path, events: int) -> Path:
    """Write a whole HTTP request with so many events."""
    path = "/v1/track" if events == 1 else "/v1/batch"
    one = event()
    body = packed(one if events == 1 else {"batch": [one] * events, "sentAt": "2026-11-26T10:00:01.000Z"})
    key = base64.b64encode(f"{KEY}:".encode()).decode()
    head = [
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Basic {key}", "Content-Type: application/json",
        "User-Agent: benchmark", f"Content-Length: {len(body)}", "", "",
    ]  # fmt: skip
    file.write_bytes("\r\n".join(head).encode() + body)
    return file

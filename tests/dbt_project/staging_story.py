"""Four loads with every kind of repetition, and what must become of each row in any order of commits."""

from __future__ import annotations

import hashlib
from typing import Any

LANDED = {"load-1": "2026-01-01 12:00:00", "load-2": "2026-01-02 12:00:00", "load-3": "2026-01-03 12:00:00"}
LANDED["load-4"] = "2026-01-03 12:00:00"  # the same clock as load 3: the load id decides
SUPPRESSED = hashlib.sha256(b"gone@mail.test").hexdigest()
NO_ANALYTICS = '{"consent": {"categoryPreferences": {"analytics": false}}, "ip": "203.0.113.9"}'


def page(row: str, message: str | None, at: str = "2026-01-01 10:00:00", **more: Any) -> dict[str, Any]:
    fixed = {"type": "page", "anonymous_id": "a-1"}
    return {"_row_id": row, "message_id": message, "timestamp": at, **fixed, **more}


def receipt(row: str, number: str, amount: str, **more: Any) -> dict[str, Any]:
    sold = {"receipt_id": number, "total_amount": amount, "currency": "USD", "sold_at": "2026-01-01 09:00:00"}
    return {"_row_id": row, **sold, **more}


def order(row: str, number: str, updated: str, email: str, **more: Any) -> dict[str, Any]:
    fixed = {"created_at": "2026-01-01 08:00:00", "currency": "USD", "total_price": "10.00"}
    return {"_row_id": row, "id": number, "updated_at": updated, "email": email, **fixed, **more}


# load -> table -> (row, its outcome and rule)
STORY: dict[str, dict[str, list[tuple[dict[str, Any], str, str | None]]]] = {
    "load-1": {
        "web_events__events": [
            (page("e1", "m1"), "published", None),
            (page("e2", "m2", context=NO_ANALYTICS), "suppressed", "suppressed"),
            (page("e3", "m3", at="2026-02-01 10:00:00"), "quarantined", "future_timestamp"),
            (page("e4", None), "quarantined", "missing_message_id"),
            # written twice by a loader that crashed and repeated the package
            (page("e5", "m5"), "published", None),
            (page("e5", "m5"), "duplicate", "repeats_earlier_row"),
        ],
        "store_receipts__receipts": [
            (receipt("r1", "1001", "5.00"), "published", None),
            (receipt("r2", "1002", "-5.00"), "quarantined", "negative_amount"),
        ],
        "web_orders__orders": [
            (order("o1", "1", "2026-01-01 08:00:00", "ada@mail.test"), "published", None),
            (order("o2", "2", "2026-01-01 08:00:00", "Gone@mail.test"), "suppressed", "suppressed"),
        ],
    },
    "load-2": {
        "web_events__events": [
            (page("e6", "m1", at="2026-01-01 10:00:09"), "duplicate", "repeats_earlier_row"),
            (page("e7", "m7"), "published", None),
            (page("e8", None), "duplicate", "repeats_earlier_row"),
            (page("e9", "m2", context=NO_ANALYTICS), "duplicate", "repeats_earlier_row"),
        ],
        "store_receipts__receipts": [
            (receipt("r3", " 1001 ", "5.00", currency="usd"), "duplicate", "repeats_earlier_row"),
            (receipt("r4", "1001", "6.00"), "quarantined", "contradicts_published_row"),
            # corrected: the refused row doesn't stand in its way
            (receipt("r5", "1002", "5.00"), "published", None),
        ],
        "web_orders__orders": [
            (order("o3", "1", "2026-01-02 08:00:00", "ada@new.test"), "published", None),
            (order("o4", "1", "2026-01-01 08:00:00", " ADA@mail.test "), "duplicate", "repeats_earlier_row"),
            (order("o5", "3", "2026-01-02 08:00:00", "eve@mail.test", _variants="total_price"), "quarantined",
             "unparsed_total_price"),
        ],
    },
    "load-3": {
        "web_events__events": [(page("e10", "m10", anonymous_id=None), "quarantined", "missing_identifier")],
        "store_receipts__receipts": [
            (receipt("r6", "1001", "6.00"), "duplicate", "repeats_earlier_row"),
            (receipt("r7", "1003", "7.00"), "published", None),
        ],
        "web_orders__orders": [(order("o6", "1", "2025-12-31 08:00:00", "ada@old.test"), "published", None)],
    },
    "load-4": {
        "web_events__events": [(page("e11", "m7"), "duplicate", "repeats_earlier_row")],
        "store_receipts__receipts": [
            (receipt("r8", "1003", "8.00"), "quarantined", "contradicts_published_row"),
        ],
    },
}  # fmt: skip
NEVER_COMMITTED = ("load-5", "web_events__events", [page("e12", "m12")])
NEWEST_VERSIONS = {"1": "o3"}

"""Seeded visitors of a shop as lines of the log: cookies, logins, shared devices, carts, orders, consents, retries."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

Line = tuple[str, bytes]  # lane, line

EVENTS = "web_events.events"
CHOICES = "consent.choices"
ORDERS = "web_orders.orders"
LINES = "web_orders.order_lines"
NAMES = ("Product Viewed", "Product Added", "Product Removed", "Checkout Started", "Order Completed")


class Shoppers:
    """A town of so many people; `lines` gives what they do next, the same for the same seed."""

    def __init__(self, seed: int, people: int = 12, until: datetime | None = None) -> None:
        self.dice = random.Random(seed)
        self.seed = seed
        self.people = people
        self.until = until or datetime.now(UTC)
        self.count = 0

    def lines(self, count: int) -> list[Line]:
        done: list[Line] = []
        while len(done) < count:
            if done and self.dice.random() < 0.08:
                done.append(self.dice.choice(done))  # a client that didn't hear the answer
            else:
                done.append(self.dice.choices([self.event, self.choice, self.order, self.line], [8, 1, 1, 1])[0]())
        return done

    def event(self) -> Line:
        person = self.dice.randrange(self.people)
        event = {
            "type": "track",
            "event": self.dice.choice(NAMES),
            "messageId": self._next("m"),
            "anonymousId": f"{self.seed}-cookie-{self.dice.choice([person, person + 100, 500])}",
            "timestamp": self._moment(hours=12 * 24),
            "context": {"locale": "en-US"},
            "properties": {
                "product_id": f"p{self.dice.randrange(5)}",
                "price": self.dice.randrange(1, 9),
                "cart_id": f"{self.seed}-cart-{person}-{self.dice.randrange(3)}",
            },
        }
        if self.dice.random() < 0.4:
            event["userId"] = f"{self.seed}-login-{person}"
        if self.dice.random() < 0.3:
            event["traits"] = {"email": self._email(person)}
        if self.dice.random() < 0.05:
            event["traits"] = {"email": f"family{self.seed}@mail.example", "phone": "+12025550143"}
        return EVENTS, envelope({"event": event, "messageId": event["messageId"], "type": "track"})

    def choice(self) -> Line:
        person = self.dice.randrange(self.people)
        said = {
            "id": self._next("c"),
            "email": self._email(person),
            "purpose": self.dice.choice(["marketing", "advertising"]),
            "channel": self.dice.choice(["email", "ads", "any"]),
            "status": self.dice.choice(["granted", "granted", "withdrawn"]),
            "collected_at": self._moment(hours=500 * 24),
        }
        if self.dice.random() < 0.5:
            said["user_id"] = f"{self.seed}-login-{person}"
        return CHOICES, envelope({"row": said})

    def order(self) -> Line:
        person = self.dice.randrange(self.people)
        at = self._moment(hours=30 * 24)
        bought = {
            "id": f"{self.seed}-order-{self.dice.randrange(40)}",
            "email": self._email(person),
            "customer_id": f"{self.seed}-login-{person}" if self.dice.random() < 0.5 else None,
            "shipping_address_first_name": self.dice.choice(["Ada", "Grace"]),
            "total_price": f"{self.dice.randrange(1, 90)}.50",
            "currency": "USD",
            "created_at": at,
            "updated_at": at,
            "cancelled_at": at if self.dice.random() < 0.2 else None,
        }
        return ORDERS, envelope({"row": bought})

    def line(self) -> Line:
        """Often before its order, sometimes of one that never comes."""
        bought = {
            "id": self._next("l"),
            "order_id": f"{self.seed}-order-{self.dice.randrange(45)}",
            "product_id": f"p{self.dice.randrange(5)}",
            "quantity": self.dice.randrange(1, 4),
            "price": f"{self.dice.randrange(1, 9)}.50",
        }
        return LINES, envelope({"row": bought})

    def _email(self, person: int) -> str:
        return f"person{self.seed}.{person}@mail.example"

    def _next(self, kind: str) -> str:
        self.count += 1
        return f"{kind}-{self.seed}-{self.count}"

    def _moment(self, hours: int) -> str:
        return (self.until - timedelta(minutes=self.dice.randrange(hours * 60))).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(fields: dict[str, object]) -> bytes:
    """As the collector writes it."""
    received = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({**fields, "receivedAt": received, "writeKey": "test"}).encode()

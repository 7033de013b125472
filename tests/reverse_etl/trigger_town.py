"""The tables that triggers read, with made-up people who go to the checkout, buy, agree and change their mind."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.opening import open_triggers
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import Trigger

NOON = datetime.fromisoformat("2026-11-26 17:00")  # in UTC; noon in New York
TABLES = {
    "profiles.profiles": "profile_id text, email text, phone text, first_name text, confidence text",
    "profiles.consents": "profile_id text, purpose text, channel text, status text, is_granted boolean",
    "profiles.orders": "order_key text, order_id text, profile_id text, is_cancelled boolean, ordered_at timestamp",
    "profiles.order_lines": "order_key text, product_id text",
    "profiles.profile_events": "event_id text, profile_id text, event_name text, product_id text, cart_id text, "
    "order_id text, amount decimal(18,2), occurred_at timestamp, received_at timestamp, _landed_at timestamp",
    "profiles.time_zones": "profile_id text, time_zone text",
    "profiles.contact_preferences": "profile_id text, channel text, position bigint",
    "profiles.personal_offers": "profile_id text, headline text, offer_code text",
    "profiles.traits": "profile_id text, favourite_category text, order_count bigint, last_order_at timestamp",
    "identity.profile_redirects": "profile_id text, current_profile_id text",
    "identity.touched_profiles": "profile_id text, _batch bigint",
    "staging.stg_products__products": "product_id text, title text, price_amount decimal(18,2)",
    "audiences.lapsed_buyers": "profile_id text, favourite_category text, last_order_at timestamp",
    "audiences.price_drops": "profile_id text, product_id text, product_title text, price_amount decimal(18,2), "
    "former_price_amount decimal(18,2), dropped_at timestamp",
}


def checkout_trigger(**changes):
    """Abandoned checkouts, in their simplest form."""
    declared = {
        "name": "abandoned",
        "description": "A test.",
        "when": {"event": "Checkout Started"},
        "reason": "cart_id",
        "wait": "30 minutes",
        "purpose": "marketing",
        "cap": {"messages": 5, "days": 7},
        "send": {"email": {"destination": "remote", "message": "abandoned_checkout"}},
    }
    return Trigger.model_validate({**declared, **changes})


@dataclass
class TriggerTown:
    """People by name; their profile has the name as its id."""

    warehouse: object
    now: datetime = NOON
    count: int = field(default=0, init=False)

    def __post_init__(self):
        for schema in sorted({table.split(".")[0] for table in TABLES}):
            self.warehouse.execute(f"create schema {schema}")
        for table, columns in TABLES.items():
            self.warehouse.execute(f"create table {table} ({columns})")
        open_tables(self.warehouse)

    def insert(self, table, *values):
        self.warehouse.execute(f"insert into {table} values ({', '.join('?' for _ in values)})", list(values))

    def person(
        self, name, *, channels=("email",), email=True, phone=None, confidence="exact", first_name=None, zone=None
    ):
        address = f"{name}@example.com" if email else None
        self.insert("profiles.profiles", name, address, phone, first_name or name.title(), confidence)
        if zone:
            self.insert("profiles.time_zones", name, zone)
        for channel in channels:
            self.consent(name, channel=channel)

    def consent(self, name, is_granted=True, *, channel="email", purpose="marketing"):
        self.warehouse.execute(
            "delete from profiles.consents where profile_id = ? and channel = ? and purpose = ?",
            [name, channel, purpose],
        )
        if is_granted is not None:
            status = "granted" if is_granted else "denied"
            self.insert("profiles.consents", name, purpose, channel, status, is_granted)
        self.touch(name)

    def touch(self, name):
        """Note, as the models do, that something of a person changed."""
        self.count += 1
        self.insert("identity.touched_profiles", name, self.count)

    def event(self, name, event="Checkout Started", *, minutes_ago=60, cart="c1", product=None, amount=48.49, at=None):
        self.count += 1
        at = at or self.now - timedelta(minutes=minutes_ago)
        landed = max(self.now, at)
        self.insert(
            "profiles.profile_events",
            f"e{self.count}", name, event, product, cart and f"{name}-{cart}", None, amount, at, at, landed,
        )  # fmt: skip
        return f"e{self.count}"

    def order(self, name, *, minutes_ago=0, product=None, at=None):
        self.count += 1
        at = at or self.now - timedelta(minutes=minutes_ago)
        self.insert("profiles.orders", f"web-{self.count}", str(self.count), name, False, at)
        if product:
            self.insert("profiles.order_lines", f"web-{self.count}", product)

    def outcomes(self):
        """By person and reason, what was decided."""
        found = self.warehouse.execute(
            "select profile_id, reason, outcome from activation.trigger_firings order by 1, 2"
        )
        return {(name, reason.removeprefix(f"{name}-")): outcome for name, reason, outcome in found}

    def outbox(self):
        found = self.warehouse.execute("select profile_id, state, code from activation.outbox order by 1, message_id")
        return [tuple(row) for row in found]


class Shared:
    """The same warehouse for who wants to open and close one."""

    def __init__(self, warehouse):
        self.warehouse = warehouse

    def __getattr__(self, name):
        return getattr(self.warehouse, name)

    def close(self):
        pass


def decided(town, *triggers):
    decide(Shared(town.warehouse), triggers, town.now)
    return town.outcomes()


def open_only(town, trigger):
    with town.warehouse.transaction():
        open_triggers(town.warehouse, [trigger], town.now)

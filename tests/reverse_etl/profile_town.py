"""A town whose profiles are served: who is known by what, and two keys with different rights."""

import asyncio
import hashlib
from datetime import timedelta

import httpx
from trigger_town import NOON, TriggerTown

ANN = "ann@example.com"
WEBSITE = {
    "scopes": ["traits", "audiences"], "purposes": ["personalization"], "channel": "onsite",
    "identifiers": ["anonymous_id", "user_id", "email"], "traits": ["favourite_category"], "audiences": ["vip"],
}  # fmt: skip
SUPPORT = {
    "scopes": ["identity", "traits", "audiences", "consents", "events"], "purposes": ["service"], "basis": "contract",
}  # fmt: skip


def profile_town(warehouse):
    town = TriggerTown(warehouse)
    for column in ("last_name", "city", "postal_code", "country_code", "user_id", "loyalty_number"):
        warehouse.execute(f"alter table profiles.profiles add column {column} text")
    for column in ("event_type", "page_name"):
        warehouse.execute(f"alter table profiles.profile_events add column {column} text")
    warehouse.execute("alter table profiles.consents add column decided_at timestamp")
    warehouse.execute("alter table identity.profile_redirects add column is_current boolean")
    warehouse.execute(
        "create table identity.profile_identifiers "
        "(identifier_type text, identifier_value text, profile_id text, is_shared boolean)"
    )
    warehouse.execute("create table audiences.vip (profile_id text)")
    for name in ("ann", "bob"):
        warehouse.execute(
            "insert into profiles.profiles (profile_id, email, first_name, confidence) values (?, ?, ?, 'exact')",
            [name, f"{name}@example.com", name.title()],
        )
        address = f"{name}@example.com"
        known = (
            ("email", address), ("email_sha256", hashlib.sha256(address.encode()).hexdigest()),
            ("user_id", f"u-{name}"), ("anonymous_id", f"a-{name}"),
        )  # fmt: skip
        for kind, value in known:
            town.insert("identity.profile_identifiers", kind, value, name, False)
        town.insert("profiles.traits", name, "tea", 3, NOON)
        town.insert("audiences.vip", name)
    town.insert("identity.profile_identifiers", "email", "family@example.com", "ann", True)
    town.insert("identity.profile_redirects", "p_former", "ann", False)
    consented(town, "ann")
    for count in range(30):
        warehouse.execute(
            "insert into profiles.profile_events (event_id, profile_id, event_name, occurred_at) "
            "values (?, 'ann', 'X', ?)",
            [f"e{count:02}", NOON - timedelta(minutes=count)],
        )
    return town


def consented(town, name, status="granted"):
    town.warehouse.execute("delete from profiles.consents where profile_id = ?", [name])
    town.warehouse.execute(
        "insert into profiles.consents values (?, 'personalization', 'onsite', ?, ?, ?)",
        [name, status, status == "granted", NOON],
    )


class Caller:
    """Somebody with a key."""

    def __init__(self, api):
        self.api = api

    def ask(self, path, token=None, method="GET", **options):
        headers = {"authorization": f"Bearer {token}"} if token else {}

        async def asking():
            transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(asking())

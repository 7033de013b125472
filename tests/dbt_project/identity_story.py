"""Histories of orders and web events in which identifiers meet by chance, landing late and out of order."""

from __future__ import annotations

import random
from collections.abc import Iterable

from raw_world import Statement, World
from staging_story import order, page

SEEDS = [
    "country_names", "disposable_domains", "role_mailboxes", "suppressed_identifiers", "identifier_rules",
    "blocked_identifiers", "identity_decisions", "match_parameters", "match_thresholds", "nicknames",
]  # fmt: skip
STAGING = [
    f"judged_{name}"
    for name in (
        "web_orders__orders", "web_events__events", "store_receipts__receipts", "store_receipts__loyalty_members",
        "crm__contacts", "support__users", "email_engagement__events", "consent__choices", "finance__payments",
    )
]  # fmt: skip
# Columns that count builds are not compared.
TABLES = {
    "identifiers": "node_id, identifier_type, identifier_value, email_sha256, observation_count, is_blocked,"
    " first_seen_at, last_seen_at, first_landed_at",
    "identifier_pairs": "left_node_id, right_node_id, link_count, first_observed_at, first_landed_at, tier, confidence,"
    " rule, decision, is_live",
    "identifier_groups": "node_id, component_id, group_id, anchor_node_id, is_blocked, is_shared, shared_with,"
    " neighbour_count",
    "profile_identifiers": "identifier_type, identifier_value, profile_id, confidence, is_shared, since,"
    " first_seen_at, last_seen_at",
    "blocked_links": "left_node_id, right_node_id, left_value, right_value, reason, detail, link_count, tier,"
    " left_profile_id, right_profile_id",
}
# What was withdrawn is remembered until a full refresh; it counts for nothing.
STANDING = {"identifiers": "observation_count > 0", "identifier_pairs": "is_live or decision is not null"}


def begun(world: World) -> World:
    world.dbt("seed", "--select", *SEEDS)
    return world


def build(world: World, *flags: str) -> None:
    world.dbt("run", "--select", *STAGING, "path:models/identity", *flags)


def tables(world: World) -> dict[str, list[tuple[object, ...]]]:
    """What stands of every table of the graph; rows of nodes that stand for nothing any more are left out."""
    found = {}
    for name, columns in TABLES.items():
        where = STANDING.get(name, "1 = 1")
        if name == "identifier_groups":
            where = "node_id in (select node_id from identity.identifiers where observation_count > 0)"
        found[name] = sorted(world.query(f"select {columns} from identity.{name} where {where}"), key=repr)
    return found


def visit(dice: random.Random, row: str) -> dict[str, object]:
    """A page view of a cookie, perhaps with a login or an address."""
    who = dice.randrange(30)
    known = {} if dice.random() < 0.4 else {"user_id": f"u{who % 12}"}
    traits = {"traits": f'{{"email": "p{who % 15}@mail.test"}}'} if dice.random() < 0.3 else {}
    return page(row, f"m{row}", anonymous_id=f"c{dice.randrange(25)}", **known, **traits)


def purchase(dice: random.Random, row: str) -> dict[str, object]:
    """An order; its number is often one that was told before, with other content."""
    who = dice.randrange(20)
    email = dice.choice([f"p{who % 15}@mail.test", f"q{who}@mail.test", "test@test.com"])
    placed = order(row, f"o{dice.randrange(40)}", f"2026-01-0{dice.randrange(1, 9)} 08:00:00", email)
    return {**placed, "customer_id": f"u{who % 12}" if dice.random() < 0.5 else None}


def history(world: World, dice: random.Random, loads: int, rows: int) -> Iterable[Statement]:
    """Rows of these loads, each with its own hour of landing, which is not the order in which they commit."""
    for load in range(loads):
        at = f"2026-02-0{1 + dice.randrange(5)} 1{load}:00:00"
        events = [visit(dice, f"e{load}-{number}") for number in range(rows)]
        orders = [purchase(dice, f"o{load}-{number}") for number in range(rows)]
        yield from world.inserts(f"load-{load}", "web_events__events", events, at)
        yield from world.inserts(f"load-{load}", "web_orders__orders", orders, at)

"""Matching by likeness: the same links in any order of loads, on every engine, and never for what has gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from raw_world import Row, World

SEEDS = ["resource_type:seed"]
MODELS = ["+probable_links", "+household_groups"]
COMPARED = [
    "person_records",
    "match_candidates",
    "match_scores",
    "device_matches",
    "probable_links",
    "household_groups",
]
LANDED = {"load-1": "2026-03-01 12:00:00", "load-2": "2026-03-02 12:00:00"}
ADA = {"birth": "1970-02-01", "address": "12 Oak Street", "city": "Northfield", "zip": "10012"}


def contact(key: str, first: str, last: str, *, birth: str, address: str, city: str, zip: str) -> Row:  # noqa: A002
    return {
        "id": key, "property_firstname": first, "property_lastname": last, "property_date_of_birth": birth,
        "property_address": address, "property_city": city, "property_zip": zip, "property_email": f"{key}@example.com",
        "property_lastmodifieddate": "2026-02-01 00:00:00",
    }  # fmt: skip


def guest_order(key: str, first: str, last: str, *, birth: str, address: str, city: str, zip: str) -> Row:  # noqa: A002
    return {
        "id": key, "shipping_address_first_name": first, "shipping_address_last_name": last,
        "shipping_address_address_1": address, "shipping_address_city": city, "shipping_address_zip": zip,
        "email": f"{key}@example.org", "created_at": "2026-02-01 00:00:00", "updated_at": "2026-02-01 00:00:00",
        "currency": "USD", "total_price": "10.00",
    }  # fmt: skip


def visit(key: str, cookie: str, at: str, user: str | None = None, home: str = "2001:db8:1:0:1:2:3:4") -> Row:
    context: dict[str, Any] = {
        "ip": home,
        "userAgent": "Mozilla/5.0 Phone Mobile",
        "screen": {"width": 390, "height": 844},
    }
    return {
        "message_id": key, "type": "page", "anonymous_id": cookie, "user_id": user, "timestamp": at,
        "context": json.dumps(context),
    }  # fmt: skip


STORY: dict[str, dict[str, list[Row]]] = {
    "load-1": {
        "crm__contacts": [
            contact("c1", "Ada", "Lovell", **ADA),
            contact("c2", "Ada", "Lovell", birth="1991-07-07", address="4 Elm Row", city="Eastham", zip="20044"),
        ],
        "web_events__events": [
            visit("m1", "cookie-1", "2026-01-10 10:00:00", user="u1"),
            visit("m2", "cookie-1", "2026-02-11 10:00:00", user="u1"),
        ],
    },
    "load-2": {
        "web_orders__orders": [guest_order("o1", "ADA", "Lovel", **ADA)],
        "web_events__events": [
            visit("m3", "cookie-2", "2026-02-20 10:00:00"),
            visit("m4", "cookie-2", "2026-03-01 10:00:00"),
            visit("m5", "cookie-3", "2026-02-20 10:00:00", home="198.51.100.7"),
        ],
    },
}


def tell(world: World, commits: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Commit the loads one by one, building after each; what a full refresh gives must be there already."""
    for load, tables in STORY.items():
        for table, rows in tables.items():
            world.land(load, table, rows, LANDED[load])
    world.dbt("seed", "--select", *SEEDS)
    for load in commits:
        world.commit(load)
        world.dbt("run", "--select", *MODELS)
    increments = rows_of(world)
    world.dbt("run", "--full-refresh", "--select", *MODELS)
    assert rows_of(world) == increments
    return increments


def rows_of(world: World) -> dict[str, list[tuple[Any, ...]]]:
    return {model: world.rows(f"identity.{model}") for model in COMPARED}


def links(world: World) -> list[tuple[str, str, str]]:
    return sorted(world.query("select rule, left_type, right_type from identity.probable_links where not is_withdrawn"))


@pytest.mark.parametrize("commits", [pytest.param(["load-1", "load-2"], marks=pytest.mark.whole), ["load-2", "load-1"]])
def test_increments_in_any_order_give_what_a_full_build_gives(world, commits):
    tell(world, commits)
    assert links(world) == [
        ("probable_device", "anonymous_id", "anonymous_id"),
        ("probable_person", "crm_contact_id", "order_id"),
    ]


@pytest.mark.postgres
def test_both_engines_score_alike(world, postgres_world):
    assert tell(world, ["load-1", "load-2"]) == tell(postgres_world, ["load-1", "load-2"])


def test_a_build_without_news_writes_nothing(world):
    tell(world, ["load-1", "load-2"])
    newest = " union all ".join(
        f"select '{model}', max(_batch) from identity.{model}"
        for model in ("person_records", "match_scores", "probable_links")
    )
    before = world.query(newest)
    world.dbt("run", "--select", *MODELS)
    assert world.query(newest) == before


@pytest.mark.whole
def test_other_weights_score_old_pairs_again(world):
    tell(world, ["load-1", "load-2"])
    world.execute([("update identity.match_parameters set match_weight = -50 where comparison = 'prior'", ())])
    world.dbt("run", "--select", "match_scores", "device_matches", "probable_links")
    assert links(world) == []
    assert world.query("select count(*) from identity.probable_links where is_withdrawn") == [(2,)]


@pytest.mark.whole
def test_one_truncated_ipv4_network_is_no_home(world):
    tell(world, ["load-1", "load-2"])
    assert world.query("select distinct ip_prefix from identity.home_networks") == [("2001:db8:1::/48",)]


@pytest.mark.whole
def test_records_built_anew_alone_are_all_compared_again(world):
    """Their builds are counted from one again, so a later record would seem old."""
    for load, tables in STORY.items():
        for table, rows in tables.items():
            world.land(load, table, rows, LANDED[load])
    world.dbt("seed", "--select", *SEEDS)
    world.commit("load-1")
    world.dbt("run", "--select", *MODELS)
    world.execute([("update identity.match_candidates set _batch = 9", ())])
    world.commit("load-2")
    world.dbt("run", "--select", *MODELS)
    assert ("probable_person", "crm_contact_id", "order_id") in links(world)

"""Shared devices, family addresses, reassigned phones and the like end as the file of scenarios says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from identity_story import begun, build
from raw_world import World
from staging_story import order, page

SCENARIOS = yaml.safe_load(Path(__file__).with_name("identity_scenarios.yml").read_text(encoding="utf-8"))
IDENTIFIERS = "select identifier_type || ' ' || identifier_value, profile_id from identity.profile_identifiers"


def event(row: str, told: dict[str, str]) -> dict[str, object]:
    traits = {name: told[name] for name in ("email", "phone") if name in told}
    address = told.get("email_sha256_of")
    properties = {"email_sha256": hashlib.sha256(address.encode()).hexdigest()} if address else {}
    if "order_id" in told:
        properties["order_id"] = told["order_id"]
    context = {"device": {"id": told["device_id"]}} if "device_id" in told else {}
    return page(
        row, f"m{row}", anonymous_id=told["anonymous_id"], user_id=told.get("user_id"), traits=json.dumps(traits),
        properties=json.dumps(properties), context=json.dumps(context),
    )  # fmt: skip


def purchase(row: str, told: dict[str, str]) -> dict[str, object]:
    placed = order(row, told["order_id"], "2026-01-01 08:00:00", told.get("email", ""))
    return {**placed, "customer_id": told.get("user_id"), "phone": told.get("phone"), "phone_e164": told.get("phone")}


@pytest.fixture(scope="module")
def profiles(tmp_path_factory, duckdb_manifest):
    """Identifier -> profile, after all scenarios were told, each record as a load of its own."""
    with pytest.MonkeyPatch.context() as environment:
        path = tmp_path_factory.mktemp("scenarios") / "warehouse.duckdb"
        environment.setenv("CDP_WAREHOUSE", str(path))
        world = World("duckdb", path, duckdb_manifest)
        world.prepare()
        begun(world)
        for number, scenario in enumerate(SCENARIOS):
            for place, told in enumerate(scenario["told"]):
                row, load = f"{number}-{place}", f"load-{place}"
                is_event = "anonymous_id" in told
                table, shaped = ("web_events__events", event) if is_event else ("web_orders__orders", purchase)
                world.land(load, table, [shaped(row, told)], f"2026-02-01 1{place}:00:00")
        world.commit(*(f"load-{place}" for place in range(10)))
        build(world)
        return dict(world.query(IDENTIFIERS))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_people_end_as_the_scenario_says(profiles, scenario):
    people = scenario["people"]
    assert [[one for one in person if one not in profiles] for person in people] == [[] for _ in people]
    found = [{profiles[one] for one in person} for person in people]
    assert [len(ids) for ids in found] == [1 for _ in people], "a person is one profile"
    assert len(set.union(*found)) == len(people), "two people are two profiles"
    assert not [one for one in scenario.get("nobody", []) if one in profiles]

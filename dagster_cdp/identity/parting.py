"""How a person came apart (or together): identifiers, events, traits and what the next syncs would correct."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster_cdp.identity.person import Label, read_labels
from reverse_etl.desired import PlanRefused, columns_of
from reverse_etl.destination import DestinationRefused
from reverse_etl.run import preview
from reverse_etl.sync import BadDeclaration, all_syncs
from reverse_etl.warehouse import Warehouse, quoted

TRAIT_TABLES = ("profiles", "traits")
REBUILD = "group:identity+ and not group:activation"  # sends nothing: what would be sent is planned and shown


@dataclass(frozen=True)
class Standing:
    """Who has what at one time, as far as some people are concerned."""

    profiles: dict[int, str]  # by node
    events: dict[str, str]  # profile by event
    traits: dict[str, dict[str, Any]]  # by profile
    plans: dict[str, tuple[int, int, int]]  # to add, change and remove, by sync


@dataclass(frozen=True)
class Parting:
    """The difference of two standings."""

    identifiers: dict[str, list[Label]]  # by the profile they are in now
    former: list[str]
    events_moved: int
    events_kept: int
    traits: dict[str, list[str]]  # names of those that differ, by profile
    plans: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = field(default_factory=dict)


def stand(warehouse: Warehouse, nodes: Sequence[int]) -> Standing:
    """How things stand for everybody who is in one profile with any of `nodes`."""
    rows = warehouse.execute(
        "select distinct node_id, profile_id from identity.profile_identifiers where profile_id in ("
        f"select profile_id from identity.profile_identifiers where node_id in ({_places(nodes)}))",
        nodes,
    )
    profiles = {int(node): str(profile) for node, profile in rows}
    names = sorted(set(profiles.values()))
    return Standing(profiles, _events(warehouse, names), _traits(warehouse, names), _plans(warehouse))


def compare(warehouse: Warehouse, before: Standing, after: Standing) -> Parting:
    """What changed; `after` stands for the nodes of `before`."""
    labels = read_labels(warehouse, after.profiles)
    identifiers: dict[str, list[Label]] = {}
    for node, profile in sorted(after.profiles.items()):
        identifiers.setdefault(profile, []).append(labels.get(node, ("unknown", "")))
    moved = Counter(after.events.get(event) != profile for event, profile in before.events.items())
    traits = {}
    for profile in sorted(before.traits.keys() | after.traits.keys()):
        was, now = before.traits.get(profile, {}), after.traits.get(profile, {})
        traits[profile] = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    plans = {name: (before.plans.get(name, (0, 0, 0)), plan) for name, plan in after.plans.items()}
    former = sorted(set(before.profiles.values()))
    return Parting(identifiers, former, moved[True], moved[False], traits, plans)


def _events(warehouse: Warehouse, profiles: list[str]) -> dict[str, str]:
    if not columns_of(warehouse, "profiles", "profile_events"):
        return {}
    rows = warehouse.execute(
        f"select event_id, profile_id from profiles.profile_events where profile_id in ({_places(profiles)})", profiles
    )
    return {str(event): str(profile) for event, profile in rows}


def _traits(warehouse: Warehouse, profiles: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for table in TRAIT_TABLES:
        columns = columns_of(warehouse, "profiles", table) - {"profile_id"}
        names = sorted(name for name in columns if not name.startswith("_"))
        if not names:
            continue
        rows = warehouse.execute(
            f"select profile_id, {', '.join(map(quoted, names))} from profiles.{table}"
            f" where profile_id in ({_places(profiles)})",
            profiles,
        )
        for profile, *values in rows:
            found.setdefault(str(profile), {}).update(zip(names, values, strict=True))
    return found


def _plans(warehouse: Warehouse) -> dict[str, tuple[int, int, int]]:
    """What each sync would do now; those that can't be planned are left out, `cdp sync plan` says why."""
    plans = {}
    for sync in all_syncs():
        try:
            planned, _ = preview(warehouse, sync, gate="ignored")
        except (BadDeclaration, DestinationRefused, PlanRefused):
            continue
        plans[sync.name] = (planned.add, planned.change, planned.remove)
    return plans


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values)) or "null"

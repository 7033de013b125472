"""The largest profiles and the ties they hang by: where one wrong record holds two people together."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from dagster_cdp.identity.graph import Bridge, bridges
from dagster_cdp.identity.person import Label, read_labels, read_ties
from reverse_etl.warehouse import Warehouse

LOOKED_AT = 500  # profiles: 2 s


@dataclass(frozen=True)
class Large:
    """One large profile and its bridges that part more than a single identifier, the most even one first."""

    profile_id: str
    node_count: int
    bridges: list[Bridge]
    labels: dict[int, Label]


def largest(warehouse: Warehouse, larger_than: int = 10, limit: int = 20) -> list[Large]:
    """Profiles of more than `larger_than` identifiers, the largest first."""
    return list(_by_size(warehouse, larger_than, limit))


def that_hang(warehouse: Warehouse, larger_than: int = 10, limit: int = 20) -> list[Large]:
    """Those of them that a single tie holds together; most of the largest are only good customers."""
    return list(islice((large for large in _by_size(warehouse, larger_than, LOOKED_AT) if large.bridges), limit))


def _by_size(warehouse: Warehouse, larger_than: int, limit: int) -> Iterator[Large]:
    rows = warehouse.execute(
        "select profile_id, count(distinct node_id) as node_count from identity.profile_identifiers"
        " group by profile_id having count(distinct node_id) > ? order by node_count desc, profile_id limit ?",
        [larger_than, limit],
    )
    for profile_id, count in rows:
        yield hanging(warehouse, str(profile_id), int(count))


def hanging(warehouse: Warehouse, profile_id: str, count: int) -> Large:
    """One profile of so many identifiers, with the ties it hangs by."""
    parting = [bridge for bridge in bridges(read_ties(warehouse, profile_id)) if bridge.smaller > 1]
    ends = {node for bridge in parting for node in (bridge.tie.left, bridge.tie.right)}
    return Large(profile_id, count, parting, read_labels(warehouse, ends))

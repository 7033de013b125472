"""Tables of the stage identity, planted with just the columns that its watchers read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from raw_world import World

COLUMNS = {
    "profile_identifiers": "profile_id text, node_id bigint, identifier_type text, is_shared boolean, group_id bigint",
    "identifier_groups": "node_id bigint, component_id bigint",
    "identifier_pairs": "left_node_id bigint, right_node_id bigint, is_live boolean",
    "blocked_links": "reason text, detail text, link_count bigint",
}
Member = tuple[str, int, str, bool]


def members(sizes: Mapping[str, int], orders: int = 0) -> list[Member]:
    """A profile per name with so many cookies, and with so many orders each."""
    kinds = {name: ["anonymous_id"] * size + ["order_id"] * orders for name, size in sizes.items()}
    named = [(name, kind) for name, of_name in kinds.items() for kind in of_name]
    return [(name, node, kind, False) for node, (name, kind) in enumerate(named)]


def plant(
    world: World,
    planted: Sequence[Member],
    pairs: Sequence[tuple[int, int]] = (),
    cut: Collection[Collection[str]] = (),
) -> None:
    """These identifiers and pairs are the whole graph; the profiles of each of `cut` are one component."""
    made = [(f"create table if not exists identity.{table} ({columns})", ()) for table, columns in COLUMNS.items()]
    emptied = [(f"delete from identity.{table}", ()) for table in COLUMNS]
    groups = {name: node for name, node, *_ in reversed(planted)}
    components = groups | {name: min(groups[one] for one in names) for names in cut for name in names}
    rows = [
        ("insert into identity.profile_identifiers values (?, ?, ?, ?, ?)", (*member, groups[member[0]]))
        for member in planted
    ]
    rows += [
        ("insert into identity.identifier_groups values (?, ?)", (node, components[name])) for name, node, *_ in planted
    ]
    linked = [("insert into identity.identifier_pairs values (?, ?, true)", pair) for pair in pairs]
    world.execute([("create schema if not exists identity", ()), *made, *emptied, *rows, *linked])

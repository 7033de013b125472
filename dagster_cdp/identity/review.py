"""What a person should decide: where evidence was refused, is uncertain, or hangs by one tie."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dagster_cdp.identity.bridging import Large, hanging, that_hang
from dagster_cdp.identity.finding import NotFound, check_built
from dagster_cdp.identity.person import Label, read_labels
from dagster_cdp.identity.words import name_of, reason_in_words
from reverse_etl.desired import columns_of
from reverse_etl.warehouse import Row, Warehouse

LARGE = 10  # identifiers from which on a bridge is worth a look


@dataclass(frozen=True, slots=True)
class Item:
    """One question to a person: are these two one? `because` says why it is asked."""

    item_id: str
    kind: str  # refused | shared | probable | bridge
    left: int
    right: int
    because: str
    evidence_count: int | None
    score: float | None
    left_profile_id: str | None
    right_profile_id: str | None
    left_label: Label = ("unknown", "")
    right_label: Label = ("unknown", "")


def item_id(kind: str, left: int, right: int) -> str:
    """Stable: the same question has the same id on every build."""
    return hashlib.md5(f"{kind}:{left}:{right}".encode(), usedforsecurity=False).hexdigest()[:10]


def review(warehouse: Warehouse, limit: int = 10, decided: Iterable[tuple[int, int]] = ()) -> list[Item]:
    """The `limit` most pressing items of each kind, without pairs that are decided already."""
    check_built(warehouse)
    done = set(decided)
    found: list[Item] = []
    for kind in _kinds(warehouse):
        asked = _asked(warehouse, kind, "", [limit + len(done)])
        found += [item for item in asked if (item.left, item.right) not in done][:limit]
    bridged = (item for large in that_hang(warehouse, LARGE, limit + len(done)) for item in bridge_items(large))
    found += [item for item in bridged if (item.left, item.right) not in done][:limit]
    return _labelled(warehouse, found)


def count_open(warehouse: Warehouse, decided: Iterable[tuple[int, int]] = ()) -> dict[str, int]:
    """How many questions of each kind wait, shown or not; bridges are looked for only as far as they are shown."""
    done = [f"{left}:{right}" for left, right in decided]
    pair = "cast(left_node_id as varchar) || ':' || cast(right_node_id as varchar)"
    waiting = f"where {pair} not in ({', '.join('?' * len(done))})" if done else ""
    return {
        kind: int(warehouse.execute(f"select count(*) from ({_QUESTIONS[kind]}) as questions {waiting}", done)[0][0])
        for kind in _kinds(warehouse)
    }


def find_item(warehouse: Warehouse, wanted: str) -> Item:
    """One item by its id. Raises NotFound when no question has it any more."""
    check_built(warehouse)
    for kind in _kinds(warehouse):
        if found := _asked(warehouse, kind, "where item_id = ?", [wanted, 1]):
            return _labelled(warehouse, found)[0]
    if found := [item for item in _bridged(warehouse, wanted) if item.item_id == wanted]:
        return _labelled(warehouse, found)[0]
    raise NotFound("no item has this id, or a build has settled it: `cdp identity review` lists what is open")


def _bridged(warehouse: Warehouse, wanted: str) -> list[Item]:
    """The bridges of the profile that has the tie of this id, however many profiles are larger."""
    rows = warehouse.execute(
        """
        select members.profile_id, count(distinct members.node_id)
        from identity.profile_identifiers as members
        where members.profile_id in (
            select ends.profile_id
            from identity.identifier_pairs as pairs
            inner join identity.profile_identifiers as ends on pairs.left_node_id = ends.node_id
            where substr(md5('bridge:' || cast(left_node_id as varchar) || ':' || cast(right_node_id as varchar)
            ), 1, 10) = ?
        )
        group by members.profile_id
        """,
        [wanted],
    )
    return [item for profile, count in rows for item in bridge_items(hanging(warehouse, str(profile), int(count)))]


def bridge_items(large: Large) -> list[Item]:
    """The tie that parts a large profile most evenly."""
    return [
        Item(
            item_id("bridge", bridge.tie.left, bridge.tie.right),
            "bridge",
            bridge.tie.left,
            bridge.tie.right,
            f"the only tie between {bridge.left_count} and {bridge.right_count} identifiers of one profile",
            bridge.tie.evidence_count,
            bridge.tie.score,
            large.profile_id,
            large.profile_id,
        )
        for bridge in large.bridges[:1]
    ]


def _kinds(warehouse: Warehouse) -> list[str]:
    has_matches = {"left_node_id", "right_node_id", "score"} <= columns_of(warehouse, "identity", "match_review")
    return ["refused", "shared", *(["probable"] if has_matches else [])]


def _asked(warehouse: Warehouse, kind: str, where: str, parameters: list[object]) -> list[Item]:
    rows = warehouse.execute(
        f"""
        select * from (
            select questions.*, substr(md5(
                '{kind}:' || cast(left_node_id as varchar) || ':' || cast(right_node_id as varchar)
            ), 1, 10) as item_id
            from ({_QUESTIONS[kind]}) as questions
        ) as items
        {where}
        order by pressing desc, link_count desc, left_node_id, right_node_id limit ?
        """,
        parameters,
    )
    return [_item(kind, row) for row in rows]


def _item(kind: str, row: Row) -> Item:
    left, right, detail, count, score, left_profile, right_profile, neighbours, _, key = row
    because = {
        "refused": reason_in_words("too_many_for_one_profile", detail),
        "shared": f"seen with {neighbours} identifiers of type {name_of(detail or '')}, so it joins nobody",
        "probable": "like each other, but not enough to join by itself",
    }[kind]
    number = None if score is None else float(score)
    return Item(key, kind, left, right, because, count, number, left_profile, right_profile)


def _labelled(warehouse: Warehouse, items: list[Item]) -> list[Item]:
    labels = read_labels(warehouse, {node for item in items for node in (item.left, item.right)})
    unknown = ("unknown", "")
    return [
        replace(item, left_label=labels.get(item.left, unknown), right_label=labels.get(item.right, unknown))
        for item in items
    ]


# Each gives left_node_id, right_node_id, detail, evidence_count, score, both profiles, neighbours and what is pressing.
_QUESTIONS = {
    "refused": """
        select left_node_id, right_node_id, detail, link_count, cast(null as decimal(9, 6)) as score,
            left_profile_id, right_profile_id, cast(null as bigint) as neighbours, link_count as pressing
        from identity.blocked_links where reason = 'too_many_for_one_profile'
    """,
    # The one link with most evidence of each shared identifier, those just over the limit first.
    "shared": """
        select left_node_id, right_node_id, shared_with, link_count, cast(null as decimal(9, 6)) as score,
            left_profile_id, right_profile_id, neighbour_count, -excess as pressing
        from (
            select links.*, groups.shared_with, groups.neighbour_count,
                groups.neighbour_count - coalesce(case groups.shared_with
                    when 'user_id' then rules.max_user_ids
                    when 'loyalty_number' then rules.max_loyalty_numbers
                    when 'crm_contact_id' then rules.max_crm_contacts
                    when 'email' then rules.max_emails end, 0) as excess,
                row_number() over (
                    partition by groups.node_id order by links.link_count desc, links.left_node_id, links.right_node_id
                ) as place
            from (
                select blocked.*, left_node_id as end_id, left_type as end_type from identity.blocked_links as blocked
                union all
                select blocked.*, right_node_id, right_type from identity.blocked_links as blocked
            ) as links
            inner join identity.identifier_groups as groups on links.end_id = groups.node_id and groups.is_shared
            inner join identity.identifier_rules as rules on links.end_type = rules.identifier_type
            where links.reason = 'shared_identifier'
        ) as ranked
        where place = 1
    """,
    "probable": """
        select matches.left_node_id, matches.right_node_id, cast(null as varchar) as detail,
            cast(null as bigint) as link_count, matches.score, left_members.profile_id as left_profile_id,
            right_members.profile_id as right_profile_id, cast(null as bigint) as neighbours,
            matches.score as pressing
        from identity.match_review as matches
        inner join (select distinct node_id, profile_id from identity.profile_identifiers) as left_members
            on matches.left_node_id = left_members.node_id
        inner join (select distinct node_id, profile_id from identity.profile_identifiers) as right_members
            on matches.right_node_id = right_members.node_id
        where left_members.profile_id <> right_members.profile_id
    """,
}

"""What members are made of, where any one identifier finds a person: `activation.member_identifiers`, as hashes.

Two rows that share an address and differ in the phone are two members there, and to remove the one whole would
remove the other. So it is on record which identifiers each is made of; `shared` counts who else has them.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping

from reverse_etl.destination import Scalar, Spec
from reverse_etl.warehouse import Warehouse

Ways = tuple[frozenset[str], ...]  # sets of fields each of which finds a person; none: each field does
Identifiers = Mapping[str, Scalar]

AT_ONCE = 10_000
NOTING = "_activation_noting"  # a temporary table: members that may be written down already
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

_UNCOUNTED = """
select journal.member_id, journal.identifiers
from activation.journal as journal
where journal.sync_name = ? and journal.identifiers is not null and journal.member_id > ? and not exists (
    select 1 from activation.member_identifiers as known
    where known.sync_name = journal.sync_name and known.member_id = journal.member_id
)
order by journal.member_id
"""
_FORGET = """
delete from activation.member_identifiers
where sync_name = ?
    and member_id not in (select member_id from activation.journal where sync_name = ?)
    and member_id not in (
        select member_id from activation.identities where sync_name = ? and member_id is not null
    )
"""


def ways_of(spec: Spec) -> Ways | None:
    """List what finds a person by itself; None where only all identifiers together do, or there is just one."""
    is_any = spec.matches_any if spec.matches_any is not None else bool(spec.hash_only and spec.platform)
    if not is_any:
        return None
    if not spec.platform:
        return ()
    from reverse_etl.normalise import platforms  # noqa: PLC0415 - phone plans take 0.1 s to load

    return platforms.platform_of(spec.platform).enough


def parts(identifiers: Identifiers, ways: Ways) -> dict[str, frozenset[str]]:
    """Part identifiers into those that find the person by themselves: hash → its fields."""
    found = [way for way in ways if way <= identifiers.keys()] or [frozenset((name,)) for name in identifiers]
    return {_hash({name: identifiers[name] for name in way}): way for way in found}


def _hash(identifiers: Identifiers) -> str:
    return hashlib.md5(_ENCODE(dict(identifiers)).encode(), usedforsecurity=False).hexdigest()


def parted(identifiers: Identifiers, ways: Ways, kept: Collection[str]) -> tuple[Identifiers, Identifiers]:
    """Tell what is to be removed from what stays; all is removed when nothing is kept."""
    found = parts(identifiers, ways)
    stays = frozenset[str]().union(*(way for part, way in found.items() if part in kept))
    if not stays:
        return identifiers, {}
    goes = frozenset[str]().union(*(way for part, way in found.items() if part not in kept))
    return _only(identifiers, goes), _only(identifiers, stays)


def _only(identifiers: Identifiers, names: frozenset[str]) -> Identifiers:
    return {name: value for name, value in identifiers.items() if name in names}


def is_counting(warehouse: Warehouse, sync_name: str) -> bool:
    """Whether the sync ever delivered by several identifiers."""
    return bool(
        warehouse.execute("select 1 from activation.member_identifiers where sync_name = ? limit 1", [sync_name])
    )


def note(warehouse: Warehouse, sync_name: str, members: Iterable[tuple[str, Identifiers]], ways: Ways) -> None:
    """Write down what members are made of; a member twice does no harm."""
    rows = [(sync_name, member, part) for member, identifiers in members for part in parts(identifiers, ways)]
    if rows:
        warehouse.insert("activation.member_identifiers", ("sync_name", "member_id", "identifier"), rows)


def unnoted(warehouse: Warehouse, sync_name: str, members: Mapping[str, Identifiers]) -> dict[str, Identifiers]:
    """Leave out who is written down."""
    warehouse.execute(f"create temporary table if not exists {NOTING} (member_id text)")
    warehouse.execute(f"delete from {NOTING}")
    warehouse.insert(NOTING, ("member_id",), [(member,) for member in members])
    found = warehouse.execute(
        "select distinct member_id from activation.member_identifiers "
        f"where sync_name = ? and member_id in (select member_id from {NOTING})",
        [sync_name],
    )
    there = {member for (member,) in found}
    return {member: identifiers for member, identifiers in members.items() if member not in there}


def note_held(warehouse: Warehouse, sync_name: str, ways: Ways) -> None:
    """Write down members of the journal that were delivered before they were counted."""
    last = ""
    while rows := warehouse.execute(f"{_UNCOUNTED} limit {AT_ONCE}", [sync_name, last]):
        note(warehouse, sync_name, [(member, json.loads(found)) for member, found in rows], ways)
        last = rows[-1][0]


def forget(warehouse: Warehouse, sync_name: str) -> None:
    """Drop what members were made of who are neither held nor wanted any more."""
    warehouse.execute(_FORGET, [sync_name] * 3)

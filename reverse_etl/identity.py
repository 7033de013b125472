"""Who a row is at a destination: by columns as they are, or by what its rules make of them.

Rules are Python and the difference is SQL, so each set of values is identified once, in batches, and
`activation.identities` remembers which member it is: hashes only, until the values or the rules change.
"""

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reverse_etl.destination import Destination, Scalar, Spec, identifiers_of
from reverse_etl.parts import Ways, is_counting, note, note_held, unnoted, ways_of
from reverse_etl.payload import scalar
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

GIVEN = "_activation_given"  # a temporary table: the audience with the values that identify
UNKNOWN = "_activation_unidentified"  # a temporary table: sets of values nobody has identified yet
AT_ONCE = 10_000
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # made once: `json.dumps` makes one each time

_UNKNOWN = """
create temporary table {unknown} as
select row_number() over (order by given_id) as position, given_id, {values}
from (
    select distinct given_id, {values} from {given}
    where is_given and is_consented and given_id not in (
        select given_id from activation.identities where sync_name = ? and rules = ?
    )
) as distinct_values
"""
_FORGET = """
delete from activation.identities
where sync_name = ? and (rules <> ? or given_id not in (select given_id from {given} where is_consented))
"""


@dataclass(frozen=True)
class Identity:
    """How the members of a sync are found; `columns` maps fields at the destination to columns here."""

    sync: Sync
    spec: Spec
    columns: Mapping[str, str]
    identify: Callable[[Mapping[str, Scalar]], Any] | None  # None: by the columns as they are
    rules: str  # changes whenever the same values may be identified otherwise
    ways: Ways | None = None  # what finds a person by itself; None: all identifiers together do

    @property
    def unreadable(self) -> frozenset[str]:
        """Columns that must not be sent as fields, because nothing readable may leave."""
        return frozenset(self.columns.values()) if self.spec.hash_only else frozenset()

    def found_by(self, values: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Make the identifiers that are delivered; empty when the values find nobody."""
        return dict(values) if self.identify is None else dict(self.identify(values).identifiers)

    def reason(self, values: Mapping[str, Scalar]) -> str:
        """Say why the values find nobody, in a code."""
        if self.identify is None:
            return "no_identifier"
        return next((f"{reason}_{field}" for field, reason in self.identify(values).dropped.items()), "no_identifier")


def identity_of(sync: Sync, destination: Destination) -> Identity:
    """Read from spec and sync how members are found."""
    spec = destination.spec
    own = getattr(destination, "identify", None)
    columns: Mapping[str, str] = identifiers_of(sync, spec)
    if own and not spec.identifiers and not spec.platform:
        columns = {name: column for column, name in sync.fields.items()}
    identify = own or (_by_platform(sync, spec.platform) if spec.platform else None)
    ways = ways_of(spec)
    if identify is None and ways is not None:
        identify = _as_they_are
    if identify is None:
        return Identity(sync, spec, columns, None, "")
    seen = [sync.destination, sorted(columns.items()), sync.options if own else sync.options.get("normalise")]
    seen += [] if ways is None else [sorted(map(sorted, ways))]
    made = json.dumps([seen, _source(Path(__file__).parent / "normalise"), _module(type(destination))], default=str)
    return Identity(sync, spec, columns, identify, hashlib.md5(made.encode(), usedforsecurity=False).hexdigest(), ways)


def _as_they_are(values: Mapping[str, Scalar]) -> Any:
    from reverse_etl.normalise import Identified  # noqa: PLC0415 - phone plans take 0.1 s to load

    return Identified({name: value for name, value in values.items() if value is not None}, {})  # type: ignore[misc]


def _by_platform(sync: Sync, platform: str) -> Callable[[Mapping[str, Scalar]], Any]:
    from reverse_etl import normalise  # noqa: PLC0415 - phone plans take 0.1 s to load

    options = normalise.read_options(sync, platform)
    return lambda values: normalise.identify(platform, values, options)


@cache
def _source(folder: Path) -> str:
    """Hash the rules' own text: rules that were edited are other rules."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def _module(destination: type) -> str:
    """Hash the destination's own text, and that of those it may have its `identify` from."""
    shared = _source(Path(__file__).parent / "ads") + (Path(__file__).parent / "contacts.py").read_text("utf-8")
    try:
        text = inspect.getsource(sys.modules[destination.__module__])
    except (OSError, KeyError, TypeError):
        return destination.__qualname__
    return hashlib.sha256((text + shared).encode()).hexdigest()


def member_of(identifiers: Mapping[str, Scalar]) -> str:
    """Hash a set of identifiers: two rows with the same are one member."""
    return hashlib.md5(_ENCODE(dict(identifiers)).encode(), usedforsecurity=False).hexdigest()


def value_names(identity: Identity) -> list[str]:
    """Name the columns of the temporary tables that hold the values of `identity.columns`, in their order."""
    return [f"_value_{place}" for place in range(len(identity.columns))]


def identify_new(warehouse: Warehouse, identity: Identity) -> int:
    """Identify what the audience holds and was not identified before under these rules; how many sets it was."""
    name, values = identity.sync.name, ", ".join(value_names(identity))
    warehouse.execute(f"drop table if exists {UNKNOWN}")
    warehouse.execute(_UNKNOWN.format(unknown=UNKNOWN, values=values, given=GIVEN), [name, identity.rules])
    count = int(warehouse.execute(f"select count(*) from {UNKNOWN}")[0][0])
    noting = _noting(warehouse, identity) if count else None
    for first in range(1, count + 1, AT_ONCE):
        rows = warehouse.execute(
            f"select given_id, {values} from {UNKNOWN} where position between ? and ?", [first, first + AT_ONCE - 1]
        )
        judged = [(given, *_judged(identity, row)) for given, *row in rows]
        if noting:
            # Before they are known, or a kill in between would leave them uncounted.
            noting({member: found for _, member, _, found in judged if member})
        known = [(name, identity.rules, given, member, reason) for given, member, reason, _ in judged]
        warehouse.insert("activation.identities", ("sync_name", "rules", "given_id", "member_id", "reason"), known)
    warehouse.execute(f"drop table {UNKNOWN}")
    warehouse.execute(_FORGET.format(given=GIVEN), [name, identity.rules])
    return count


def _judged(identity: Identity, row: list[Any]) -> tuple[str | None, str | None, dict[str, Scalar]]:
    values = dict(zip(identity.columns, map(scalar, row), strict=True))
    found = identity.found_by(values)
    return (member_of(found), None, found) if found else (None, identity.reason(values), {})


def _noting(warehouse: Warehouse, identity: Identity) -> Callable[[dict[str, Mapping[str, Scalar]]], None] | None:
    """Say how to write down what members are made of; None where each is found by its one identifier."""
    name, ways = identity.sync.name, identity.ways
    was_counting = is_counting(warehouse, name)
    if ways is None or not (was_counting or len(identity.columns) > 1):
        return None
    if not warehouse.execute(
        "select 1 from activation.identities where sync_name = ? and rules = ? limit 1", [name, identity.rules]
    ):
        note_held(warehouse, name, ways)

    def noting(members: dict[str, Mapping[str, Scalar]]) -> None:
        note(warehouse, name, (unnoted(warehouse, name, members) if was_counting else members).items(), ways)

    return noting

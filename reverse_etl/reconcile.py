"""Ask the destination who is there: to settle what was not answered, and to see what drifted.

Presence proves that something arrived. Absence proves nothing, a list may lag: who is missing is sent again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from reverse_etl.deliver import UNREADABLE
from reverse_etl.destination import (
    Destination,
    DestinationRefused,
    NoAnswer,
    NotSent,
    Request,
    Response,
    Scalar,
    Transport,
    Unreadable,
    Verdict,
)
from reverse_etl.environment import now
from reverse_etl.identity import member_of
from reverse_etl.lease import Lease
from reverse_etl.plan import ONE_WAY
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

PAGES = 10_000
# Temporary tables of hashed identifiers: what the destination names, and what the journal holds.
THERE, OURS = "_activation_there", "_activation_ours"
AT_ONCE = 10_000

# Only a first addition is proved by presence: of a change we can't see which version is there.
_SETTLE = f"""
update activation.journal set
    is_held = true, delivered_fingerprint = pending_fingerprint, rejected_fingerprint = null,
    delivered_fields = pending_fields, pending_operation = null, pending_fingerprint = null, pending_fields = null,
    operation_id = null, intent_count = null,
    answered_at = cast(? as timestamp)
where sync_name = ? and pending_operation = 'add' and not is_held and intent_count = 1
    and member_id in (
        select ours.member_id from {OURS} as ours where ours.found_by in (select found_by from {THERE})
    )
"""


_HELD = "sync_name = ? and (is_held or pending_operation is not null) and identifiers is not null"
_PENDING = (
    "sync_name = ? and pending_operation = 'add' and not is_held and intent_count = 1 and identifiers is not null"
)


@dataclass(frozen=True, slots=True)
class Drift:
    """How a destination differs from the journal. All are counts."""

    sync: str
    ours: int
    theirs: int | None
    missing: int | None = None  # held by the journal, not there
    unexpected: int | None = None  # there, unknown to the journal

    @property
    def differs(self) -> bool:
        return self.theirs is not None and (self.ours != self.theirs or bool(self.missing or self.unexpected))

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "differs": self.differs}


def drift(warehouse: Warehouse, sync: Sync, destination: Destination) -> Drift:
    """Compare members, or at least their number, as far as the destination tells."""
    ours = int(warehouse.execute(f"select count(*) from activation.journal where {_HELD}", [sync.name])[0][0])
    if not hasattr(destination, "read_back"):
        return Drift(sync.name, ours, None)
    with destination.connect() as transport:
        if not hasattr(destination, "held"):
            answer = _ask(transport, destination, destination.read_back())
            return Drift(sync.name, ours, destination.size(answer))  # type: ignore[attr-defined]
        theirs = _lay_out_theirs(warehouse, _members(transport, destination))
    _lay_out_ours(warehouse, sync, _HELD)
    [(missing,)] = warehouse.execute(
        f"select count(*) from {OURS} where is_certain and found_by not in (select found_by from {THERE})"
    )
    [(unexpected,)] = warehouse.execute(
        f"select count(*) from {THERE} where found_by not in (select found_by from {OURS})"
    )
    return Drift(sync.name, ours, theirs, int(missing), int(unexpected))


def reconcile(warehouse: Warehouse, sync: Sync, destination: Destination, lease: Lease) -> int:
    """Settle additions without an answer that are there; how many. The others are sent again, under their id."""
    if not hasattr(destination, "held") or not hasattr(destination, "read_back") or sync.mode in ONE_WAY:
        return 0
    _lay_out_ours(warehouse, sync, _PENDING)
    if not (pending := _count(warehouse, sync)):
        return 0
    try:
        with destination.connect() as transport:
            _lay_out_theirs(warehouse, _members(transport, destination))
    except (NotSent, NoAnswer, DestinationRefused, *UNREADABLE):
        return 0
    with warehouse.transaction():
        lease.renew(warehouse)
        warehouse.execute(_SETTLE, [str(now()), sync.name])
    return pending - _count(warehouse, sync)


def _count(warehouse: Warehouse, sync: Sync) -> int:
    return int(warehouse.execute(f"select count(*) from activation.journal where {_PENDING}", [sync.name])[0][0])


def _members(transport: Transport, destination: Any) -> Iterable[Mapping[str, Scalar]]:
    request: Request | None = destination.read_back()
    for _ in range(PAGES):
        if request is None:
            return
        response = _ask(transport, destination, request)
        yield from destination.held(response)
        request = destination.more(response) if hasattr(destination, "more") else None
    raise Unreadable("the list of members has no end")


def _ask(transport: Transport, destination: Destination, request: Request) -> Response:
    response = transport(request)
    if (verdict := destination.spec.classify(response)) is not Verdict.ANSWERED:
        raise DestinationRefused(f"the list of members can't be read: {verdict} (http {response.status})")
    return response


def _lay_out_theirs(warehouse: Warehouse, members: Iterable[Mapping[str, Scalar]]) -> int:
    warehouse.execute(f"drop table if exists {THERE}")
    warehouse.execute(f"create temporary table {THERE} (found_by text)")
    count, rest = 0, iter(members)
    while rows := [(member_of(identifiers),) for identifiers in islice(rest, AT_ONCE)]:
        warehouse.insert(THERE, ("found_by",), rows)
        count += len(rows)
    return count


def _lay_out_ours(warehouse: Warehouse, sync: Sync, where: str) -> None:
    warehouse.execute(f"drop table if exists {OURS}")
    warehouse.execute(f"create temporary table {OURS} (member_id text, found_by text, is_certain boolean)")
    last = ""
    while rows := warehouse.execute(
        "select member_id, identifiers, is_held and pending_operation is null from activation.journal "
        f"where {where} and member_id > ? order by member_id limit {AT_ONCE}",
        [sync.name, last],
    ):
        ours = [(member_id, member_of(json.loads(found_by)), certain) for member_id, found_by, certain in rows]
        warehouse.insert(OURS, ("member_id", "found_by", "is_certain"), ours)
        last = rows[-1][0]

"""Settle what was not answered by asking who is there, where sending it again would do more than nothing.

Presence proves that something arrived. Absence proves nothing, a list may lag: who is missing is sent again.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import islice

from reverse_etl.deliver import UNREADABLE
from reverse_etl.destination import Destination, DestinationRefused, NoAnswer, NotSent, Scalar
from reverse_etl.environment import now
from reverse_etl.identity import member_of
from reverse_etl.lease import Lease
from reverse_etl.plan import ONE_WAY
from reverse_etl.read_back import Reader, Tells, known_as, tells
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

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


_PENDING = (
    "sync_name = ? and pending_operation = 'add' and not is_held and intent_count = 1 and identifiers is not null"
)


def reconcile(warehouse: Warehouse, sync: Sync, destination: Destination, lease: Lease) -> int:
    """Settle additions without an answer that are there; how many. The others are sent again, under their id."""
    # Where a repeat leaves the same state it is sent again: cheaper than a whole list, and it brings the fields, too.
    if destination.spec.is_set or tells(destination) is not Tells.MEMBERS or sync.mode in ONE_WAY:
        return 0
    lay_out_ours(warehouse, sync, destination, _PENDING)
    if not (pending := _count(warehouse, sync)):
        return 0
    try:
        with destination.connect() as transport:
            lay_out_theirs(warehouse, Reader(destination, transport, attempts=1).members())
    except (NotSent, NoAnswer, DestinationRefused, *UNREADABLE):
        return 0
    with warehouse.transaction():
        lease.renew(warehouse)
        warehouse.execute(_SETTLE, [str(now()), sync.name])
    return pending - _count(warehouse, sync)


def _count(warehouse: Warehouse, sync: Sync) -> int:
    return int(warehouse.execute(f"select count(*) from activation.journal where {_PENDING}", [sync.name])[0][0])


def lay_out_theirs(warehouse: Warehouse, members: Iterable[Mapping[str, Scalar]]) -> int:
    warehouse.execute(f"drop table if exists {THERE}")
    warehouse.execute(f"create temporary table {THERE} (found_by text)")
    count, rest = 0, iter(members)
    while rows := [(member_of(identifiers),) for identifiers in islice(rest, AT_ONCE)]:
        warehouse.insert(THERE, ("found_by",), rows)
        count += len(rows)
    return count


def lay_out_ours(warehouse: Warehouse, sync: Sync, destination: Destination, where: str) -> None:
    warehouse.execute(f"drop table if exists {OURS}")
    warehouse.execute(f"create temporary table {OURS} (member_id text, found_by text, is_certain boolean)")
    last = ""
    while rows := warehouse.execute(
        "select member_id, identifiers, is_held and pending_operation is null from activation.journal "
        f"where {where} and member_id > ? order by member_id limit {AT_ONCE}",
        [sync.name, last],
    ):
        ours = [(member_id, _named(destination, found_by), certain) for member_id, found_by, certain in rows]
        warehouse.insert(OURS, ("member_id", "found_by", "is_certain"), ours)
        last = rows[-1][0]


def _named(destination: Destination, identifiers: str) -> str:
    return member_of(known_as(destination, json.loads(identifiers)))

"""How a destination differs from what was delivered to it, as far as it tells. Counts only."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from reverse_etl.account import account_of
from reverse_etl.deliver import UNREADABLE
from reverse_etl.destination import Destination, DestinationRefused
from reverse_etl.environment import now
from reverse_etl.identity import member_of
from reverse_etl.lease import lease
from reverse_etl.plan import ONE_WAY
from reverse_etl.read_back import Reader, Tells, known_as, tells
from reverse_etl.reconcile import OURS, THERE, lay_out_ours, lay_out_theirs
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

QUESTIONS = 200  # in which members are looked up by key: more would cost more than they teach
_HELD = "sync_name = ? and (is_held or pending_operation is not null) and identifiers is not null"
_CERTAIN = "sync_name = ? and is_held and pending_operation is null and identifiers is not null"


@dataclass(frozen=True, slots=True)
class Drift:
    """All are counts of members, and None where the destination doesn't tell."""

    sync: str
    ours: int
    tells: Tells = Tells.NOTHING
    theirs: int | None = None
    asked: int | None = None  # whether they are there; a sample, when there are many
    missing: int | None = None  # held by the journal, not there
    unexpected: int | None = None  # there, unknown to the journal
    matched: int | None = None  # people a platform recognised among those sent: never a difference

    @property
    def match_rate(self) -> float | None:
        return self.matched / self.ours if self.matched is not None and self.ours else None

    @property
    def differs(self) -> bool:
        is_another_size = self.tells is Tells.SIZE and self.theirs is not None and self.theirs != self.ours
        return is_another_size or bool(self.missing or self.unexpected)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "match_rate": self.match_rate, "differs": self.differs}

    def __str__(self) -> str:
        ours = f"{self.sync}: {self.ours} members"
        match self.tells:
            case Tells.MEMBERS:
                there = f"{self.theirs} there; {self.missing} missing there, {self.unexpected} unknown here"
                return f"{ours} by the journal, {there}"
            case Tells.PRESENCE:
                return f"{ours} by the journal, {self.asked} of them looked up; {self.missing} missing there"
            case Tells.SIZE if self.theirs is not None:
                return f"{ours} by the journal, {self.theirs} there"
            case Tells.MATCHED if self.match_rate is not None:
                return f"{ours} sent, {self.matched} matched there ({self.match_rate:.0%}): no difference, a match rate"
            case Tells.SIZE | Tells.MATCHED:
                return f"{ours}; how many there are it doesn't say yet"
        return f"{ours}; it can't be asked who is there"


def drift(
    warehouse: Warehouse, sync: Sync, destination: Destination, sleep: Callable[[float], None] = time.sleep
) -> Drift:
    """Compare with the journal as much as the destination tells."""
    kind = Tells.NOTHING if sync.mode in ONE_WAY else tells(destination)
    ours = int(warehouse.execute(f"select count(*) from activation.journal where {_HELD}", [sync.name])[0][0])
    if kind is Tells.NOTHING:
        return Drift(sync.name, ours)
    with lease(warehouse, sync.name):  # nothing to compare while a run is under way
        pace = account_of(warehouse, sync, destination).wait_seconds
    with destination.connect() as transport:
        reader = Reader(destination, transport, pace, sleep)
        try:
            return _read(warehouse, sync, reader, kind, ours)
        except UNREADABLE as error:
            message = f"{sync.name}: who is there can't be read: the answer is not what the destination promises"
            raise DestinationRefused(message) from error


def _read(warehouse: Warehouse, sync: Sync, reader: Reader, kind: Tells, ours: int) -> Drift:
    match kind:
        case Tells.MATCHED:
            return Drift(sync.name, ours, kind, matched=reader.size())
        case Tells.SIZE:
            return Drift(sync.name, ours, kind, theirs=reader.size())
        case Tells.PRESENCE:
            return _looked_up(warehouse, sync, reader, ours)
    theirs = lay_out_theirs(warehouse, reader.members())
    return _compared(warehouse, sync, reader.destination, ours, theirs)


def _compared(warehouse: Warehouse, sync: Sync, destination: Destination, ours: int, theirs: int) -> Drift:
    lay_out_ours(warehouse, sync, destination, _HELD)
    [(missing,)] = warehouse.execute(
        f"select count(*) from {OURS} where is_certain and found_by not in (select found_by from {THERE})"
    )
    [(unexpected,)] = warehouse.execute(
        f"select count(distinct found_by) from {THERE} where found_by not in (select found_by from {OURS})"
    )
    return Drift(sync.name, ours, Tells.MEMBERS, theirs, missing=int(missing), unexpected=int(unexpected))


def _looked_up(warehouse: Warehouse, sync: Sync, reader: Reader, ours: int) -> Drift:
    """Look up members by key; another sample every day, when they are too many."""
    rows = warehouse.execute(
        f"select identifiers from activation.journal where {_CERTAIN} order by md5(concat(member_id, cast(? as text))) "
        f"limit {QUESTIONS * int(reader.destination.looked_up_at_once)}",
        [sync.name, f"{now():%Y-%m-%d}"],
    )
    asked = [json.loads(identifiers) for (identifiers,) in rows]
    there = set(map(member_of, reader.present(asked)))
    missing = sum(member_of(known_as(reader.destination, one)) not in there for one in asked)
    return Drift(sync.name, ours, Tells.PRESENCE, asked=len(asked), missing=missing)

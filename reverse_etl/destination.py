"""The contract with the outside: a destination is a spec and two pure functions.

Retries, batching, journalling and consent are the engine's. What else it may have: `Optional members`.
"""

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, Protocol

from reverse_etl.sync import BadDeclaration, Sync

Scalar = str | int | float | bool | None
Operation = Literal["add", "change", "remove"]
DESTINATIONS = Path(__file__).parent / "destinations"
PLUGINS = "composable_cdp.destinations"  # the group of entry points


class Outcome(StrEnum):
    """What became of one change."""

    DELIVERED = "delivered"
    REJECTED = "rejected"  # this payload will never be accepted
    DEFERRED = "deferred"  # certainly not applied: planned again next run
    UNKNOWN = "unknown"  # sent, not answered: may have been applied, is sent again under the same id


@dataclass(frozen=True, slots=True)
class Change:
    """One member to add, change or remove.

    `identifiers` are how the destination finds the member: for a removal, of those last delivered what nobody who stays
    has. `fields` are all mapped fields by their name at the destination; empty for a removal.
    """

    operation_id: str  # the same for every re-send of the same intent
    operation: Operation
    member_id: str  # 32 hex digits, the hash of the identifiers
    identifiers: Mapping[str, Scalar]
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()  # fields that are null on purpose: empty them there
    changed: frozenset[str] | None = None  # fields that differ from what is there; None: not known, all may


@dataclass(frozen=True, slots=True)
class Receipt:
    """The word on exactly one change; `code` is a reason without any personal value."""

    change: Change
    outcome: Outcome
    code: str = ""
    is_part: bool = False  # rejected, but an earlier step of it was taken: it must stay removable


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    body: bytes
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


class Unreadable(ValueError):
    """The answer is not what the destination promises: what it did is unknown."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    earlier: tuple["Response", ...] = ()  # the answers that `follow` led on from, oldest first

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unreadable("the answer is not JSON") from error


@dataclass(frozen=True, slots=True)
class Follow:
    """What to ask next, and how long to wait before."""

    request: Request
    wait_seconds: float = 0.0


class NotSent(ConnectionError):
    """The request certainly did not reach the destination."""


class NoAnswer(ConnectionError):
    """The request may have been applied: the answer was lost."""


class DestinationRefused(RuntimeError):
    """Credentials or configuration are wrong: no row is to blame, a person must act."""


class Verdict(StrEnum):
    """What an answer means for the whole request."""

    ANSWERED = "answered"  # read the rows' outcomes
    REFUSED = "refused"  # some row in it is wrong: split to find which
    BUSY = "busy"  # certainly not applied, try later
    BROKEN = "broken"  # may have been applied, try again
    AUTH = "auth"
    CONFIG = "config"


def by_status(response: Response) -> Verdict:
    """Read HTTP statuses in their usual meaning."""
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 — HTTP's own numbers
        return Verdict.ANSWERED
    if status in {408, 425, 429, 503}:
        return Verdict.BUSY
    if status in {401, 403}:
        return Verdict.AUTH
    if status in {404, 405, 410} or 300 <= status < 400:  # noqa: PLR2004
        return Verdict.CONFIG
    return Verdict.REFUSED if 400 <= status < 500 else Verdict.BROKEN  # noqa: PLR2004


def by_operation(change: Change) -> str:
    """Keep removals apart from the rest."""
    return "remove" if change.operation == "remove" else "put"


@dataclass(frozen=True, slots=True)
class Spec:
    """What the engine must know of a destination before it sends anything."""

    batch_rows: int
    batch_bytes: int = 4_000_000
    identifiers: tuple[str, ...] = ()  # fields that find a member; none: the sync's key does
    required: tuple[str, ...] = ()  # fields without which a row must not leave
    honours_operation_ids: bool = False
    is_set: bool = True  # delivering a change twice leaves the same state
    names_changes: bool = False  # wants to know `Change.changed`
    repeats_unknown: bool = True  # false: a repeat is worse than a loss, so what may have arrived is not sent again
    attempts: int = 5
    classify: Callable[[Response], Verdict] = by_status
    platform: str = ""  # whose rules make identifiers, see `normalise`
    hash_only: bool = False  # nothing readable may leave: identifying columns are no fields
    matches_any: bool | None = None  # each identifier finds a person, for all who share it; None: where it is hash_only
    shape: Callable[[Change], str] = by_operation  # rows of one request have the same
    smallest_audience: int = 0  # below so many members the destination serves or removes nobody
    requests_per_second: float | None = None  # of one account, over all syncs
    cost_per_row: float = 0.0
    daily_rows: int | None = None  # what the destination takes in a day


Transport = Callable[[Request], Response]


class Destination(Protocol):
    """`destinations/<name>.py` holds a class `Destination(sync)` of this shape.

    Optional members, all pure:
    `identify(fields) -> Identified`: how it finds a person, normalised and hashed as delivered.
    `follow(rows, response) -> Follow | None`: what to ask before `outcomes` can be read; a job, a second step.
    `pointer(rows, response) -> Sequence[int]`: the places of the rows that a refusal of all blames.
    `reason(response) -> str`: its own word for why it refused a request; default: the status.
    `read_back() -> Request` and `held(response) -> Iterable[Mapping]`: who is there; more of it in read_back.py.
    `place: Mapping[str, object]`: which list of theirs; default: options of the names in place.py.
    `account: str`: whose limits and credentials it shares; default: all syncs to one destination.
    """

    spec: Spec

    def request(self, rows: Sequence[Change]) -> Request:
        """Pure: the request that delivers these rows. Rows share one shape: all removals, or none."""
        ...

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        """Pure: one receipt for each row the answer speaks of; a row without one counts as unknown."""
        ...

    def connect(self) -> AbstractContextManager[Transport]:
        """Open a way to send requests; it raises `NotSent` or `NoAnswer`."""
        ...


def load_destination(sync: Sync) -> Destination:
    """Load the destination a sync names: the file name is the registration, a plugin's is its entry point."""
    module = f"reverse_etl.destinations.{sync.destination}"
    try:
        loaded = importlib.import_module(module).Destination
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        loaded = _declared(sync) or _plugin(sync)
    return checked(sync, loaded(sync))


def _declared(sync: Sync) -> Callable[[Sync], Destination] | None:
    """Find `destinations/<name>.yml`, a destination without code."""
    file = DESTINATIONS / f"{sync.destination}.yml"
    if not file.exists():
        return None
    from reverse_etl import http_declaration  # noqa: PLC0415 - it speaks of outcomes, which are defined here
    from reverse_etl.destinations import http  # noqa: PLC0415

    return partial(http.Destination, declaration=http_declaration.load(file))


def _plugin(sync: Sync) -> Callable[[Sync], Destination]:
    plugins = entry_points(group=PLUGINS, name=(name := sync.destination))
    if not plugins:
        raise BadDeclaration(f"{sync.name}: no destination {name!r}: add destinations/{name}.py or {name}.yml")
    return next(iter(plugins)).load()  # type: ignore[no-any-return]


def identifiers_of(sync: Sync, spec: Spec) -> dict[str, str]:
    """Field at the destination: audience column, for what identifies a member there."""
    column_of = {name: column for column, name in sync.fields.items()}
    if not (names := identifying(spec)):
        return {sync.fields.get(sync.key, sync.key): sync.key}
    return {name: column_of[name] for name in sorted(names) if name in column_of}


def checked(sync: Sync, destination: Destination) -> Destination:
    """Give the destination back when the sync's mapping can serve it."""
    spec = destination.spec
    missing = sorted(set(spec.required) - set(sync.names))
    if wanted := missing or ([] if identifiers_of(sync, spec) else sorted(identifying(spec))):
        raise BadDeclaration(f"{sync.name}: {sync.destination} needs a column mapped to {' or '.join(wanted)}")
    if once := [name for name in spec.required if sync.rule(name).set_once]:
        raise BadDeclaration(f"{sync.name}: {sync.destination} needs {' and '.join(once)} each time: not set_once")
    if spec.hash_only and spec.platform:
        importlib.import_module("reverse_etl.disclosure").refuse_readable(sync, spec)
    return destination


def identifying(spec: Spec) -> tuple[str, ...]:
    """List the fields that find a member; none: the sync's key does. Of a platform of hashes: all it has rules for."""
    from reverse_etl.normalise import platforms  # noqa: PLC0415 - its rules speak of scalars, defined here

    if spec.identifiers or not spec.platform:
        return spec.identifiers
    table = platforms.platform_of(spec.platform)
    return platforms.fields_of(spec.platform) if spec.hash_only else tuple(sorted(set().union(*table.enough)))

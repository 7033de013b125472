"""Events on their way to an ad platform: when they happened, and whom or which click they are about."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reverse_etl.destination import Change, Scalar, Spec
from reverse_etl.normalise import Identified, Options, fields_of, identify, read_options, refuse_plaintext
from reverse_etl.sync import BadDeclaration, Sync


@dataclass(frozen=True, slots=True)
class Events:
    """How a sync's rows are events of a platform: of a person, whom it has rules for, or of a click, as it names it."""

    platform: str
    person: tuple[str, ...]
    clicks: tuple[str, ...]
    rules: Options

    @classmethod
    def of(cls, sync: Sync, platform: str, person: Sequence[str], clicks: Sequence[str]) -> "Events":
        """What happened can't be taken back there, so no mode may promise it."""
        if sync.mode != "append_events":
            raise BadDeclaration(f"{sync.name}: {sync.destination} takes events, which stay: mode: append_events")
        return cls(platform, tuple(person), tuple(clicks), read_options(sync, platform))

    def spec(self, batch_rows: int, **further: Any) -> Spec:
        """Make the spec of events that count once by their `event_id` and tell nothing readable."""
        return Spec(
            batch_rows,
            identifiers=(*self.person, *self.clicks),
            required=("event_id", "event_time"),
            hash_only=True,
            honours_operation_ids=True,
            **further,
        )

    def identify(self, fields: Mapping[str, Scalar]) -> Identified:
        """Hash who it was, and keep the platform's own names of clicks and browsers as they are: either will do."""
        found = identify(self.platform, {name: fields[name] for name in self.person if name in fields}, self.rules)
        kept = {name: text for name in self.clicks if (text := str(fields.get(name) or "").strip())}
        return Identified({**found.identifiers, **kept}, found.dropped)

    def person_of(self, row: Change) -> dict[str, Scalar]:
        """Give what the platform has rules for; raises when something readable is among it that must not be."""
        known = fields_of(self.platform)
        person = {name: value for name, value in row.identifiers.items() if name in known}
        refuse_plaintext(self.platform, person)
        return person


def moment_of(value: Scalar) -> datetime | None:
    """Read a moment: ISO 8601, UTC unless it says otherwise, or Unix seconds. None: it is neither."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def number_of(value: Scalar) -> float | None:
    """Read an amount; None when there is none."""
    try:
        amount = float(value) if value not in (None, "") else math.nan  # type: ignore[arg-type]
    except ValueError:
        return None
    return amount if math.isfinite(amount) else None

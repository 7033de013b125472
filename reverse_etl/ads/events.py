"""Events on their way to an ad platform: when they happened, and whom or which click they are about."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from reverse_etl.destination import Change, Scalar
from reverse_etl.normalise import Identified, Options, fields_of, identify, refuse_plaintext
from reverse_etl.sync import BadDeclaration, Sync


def only_events(sync: Sync) -> None:
    """What happened can't be taken back there, so no mode may promise it."""
    if sync.mode != "append_events":
        raise BadDeclaration(f"{sync.name}: {sync.destination} takes events, which stay: mode: append_events")


def identified(
    platform: str, person: Iterable[str], clicks: Iterable[str], fields: Mapping[str, Scalar], rules: Options
) -> Identified:
    """Hash who it was, and keep the platform's own names of clicks and browsers as they are: either will do."""
    found = identify(platform, {name: fields[name] for name in person if name in fields}, rules)
    kept = {name: text for name in clicks if (text := str(fields.get(name) or "").strip())}
    return Identified({**found.identifiers, **kept}, found.dropped)


def person_of(platform: str, row: Change) -> dict[str, Scalar]:
    """Give what the platform has rules for; raises when something readable is among it that must not be."""
    known = fields_of(platform)
    person = {name: value for name, value in row.identifiers.items() if name in known}
    refuse_plaintext(platform, person)
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

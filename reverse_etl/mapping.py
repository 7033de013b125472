"""What leaves of a row: columns with a type and a word on nulls, templates and constants. No SQL, no code."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from reverse_etl.warehouse import IDENTIFIER

Nulls = Literal["send", "skip", "clear"]
Type = Literal["any", "text", "integer", "number", "boolean", "date", "timestamp"]

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class FieldRule(BaseModel):
    """How a mapped column leaves.

    nulls: `send` a null, `skip` the field, or `clear` it there. set_once: sent when the member is added, then
    left to the destination.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nulls: Nulls = "send"
    set_once: bool = False
    type: Type = "any"


PLAIN = FieldRule()


def placeholders(template: object) -> list[str]:
    """List the columns a template names; raises ValueError when it isn't one."""
    if not isinstance(template, str):
        return []
    names = PLACEHOLDER.findall(template)
    if "{" in (rest := PLACEHOLDER.sub("", template)) or "}" in rest:
        raise ValueError(f"template {template!r}: a brace is open; write {{column}}")
    for name in names:
        if not IDENTIFIER.fullmatch(name):
            raise ValueError(f"template {template!r}: {name!r} is no column; expressions belong into the audience")
    return names


def rendered(template: Any, row: Mapping[str, Any]) -> Any:
    """Fill a template; what is null leaves no double space, and nothing is left when all is null."""
    names = placeholders(template)
    if not names:
        return template
    if all(row[name] is None for name in names):
        return None
    text = PLACEHOLDER.sub(lambda found: "" if row[found[1]] is None else str(row[found[1]]), template)
    return re.sub(r" {2,}", " ", text).strip()


def fits(value: Any, type_: Type) -> bool:
    """Whether a value of the warehouse is of the type the mapping promises; null is of every type."""
    return value is None or _FITS[type_](value)


def _is_whole(value: Any) -> bool:
    try:
        return bool(value == int(value))
    except (TypeError, ValueError, OverflowError):
        return False


_FITS: Mapping[Type, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: not isinstance(value, bool | str) and _is_whole(value),
    "number": lambda value: not isinstance(value, bool | str | date),
    "date": lambda value: isinstance(value, date) and not isinstance(value, datetime),
    "timestamp": lambda value: isinstance(value, datetime),
}

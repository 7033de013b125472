"""What may leave: values as JSON scalars, and the flaws for which a row is kept back as scrap."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reverse_etl.destination import Scalar, Spec

# Templates that nobody filled in: {{ name }}, {% if %}, ${name}, %%name%%, *|NAME|*, <<name>>, [First_Name].
# A bracket counts only as the whole value: people do write "Main St [rear]".
UNRENDERED = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}|%%\w+%%|\*\|\w+\|\*|<<\s*\w+\s*>>|^\s*\[[A-Za-z][\w .-]*\]\s*$",
    re.DOTALL,
)
MAYBE_UNRENDERED = re.compile(r"[{$%*<\[]")  # ten times as fast, and nearly always enough
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def scalar(value: Any) -> Scalar:
    """Turn a value into what JSON knows: timestamps as ISO 8601 in UTC, decimals as numbers."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def flaw(fields: Mapping[str, Scalar], required: Iterable[str]) -> str:
    """Why this row must not leave, naming the field and never its value; empty when it may."""
    for name in required:
        value = fields.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return f"missing_{name}"
    for name, value in fields.items():
        if isinstance(value, str) and MAYBE_UNRENDERED.search(value) and UNRENDERED.search(value):
            return f"unrendered_{name}"
    return ""


def readable(spec: Spec, identifiers: Mapping[str, Scalar], fields: Mapping[str, Scalar]) -> str:
    """Why this must not go to a destination that gets only hashes; empty when it may. The last look."""
    if not spec.hash_only:
        return ""
    if spec.platform:
        from reverse_etl.normalise import PlaintextRefused, refuse_plaintext  # noqa: PLC0415 - only where it hashes

        try:
            refuse_plaintext(spec.platform, identifiers)
        except PlaintextRefused:
            return "plaintext_refused"
    values = (*identifiers.values(), *fields.values())
    return "plaintext_refused" if any(isinstance(v, str) and "@" in v and ADDRESS.search(v) for v in values) else ""

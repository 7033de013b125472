"""What may leave: values as JSON scalars, and the flaws for which a row is kept back as scrap."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reverse_etl.destination import Scalar

# Templates that nobody filled in: {{ name }}, {% if %}, ${name}, %%name%%, *|NAME|*, <<name>>, [First_Name].
# A bracket counts only as the whole value: people do write "Main St [rear]".
UNRENDERED = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}|%%\w+%%|\*\|\w+\|\*|<<\s*\w+\s*>>|^\s*\[[A-Za-z][\w .-]*\]\s*$",
    re.DOTALL,
)


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
        if isinstance(value, str) and UNRENDERED.search(value):
            return f"unrendered_{name}"
    return ""

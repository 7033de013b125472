"""The golden vectors of the macros as one SQL statement in dbt's templating."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

FILE = Path(__file__).with_suffix(".yml")


class Vector(NamedTuple):
    call: str
    said: str | None
    expected: str | None


def golden_vectors() -> list[Vector]:
    calls = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [Vector(entry["call"], said, expected) for entry in calls for said, expected in entry["cases"]]


def quoted(text: str | None) -> str:
    """BigQuery doesn't double a quotation mark inside a text, so none stands inside one."""
    return "null" if text is None else "'" + text.replace("'", "' || chr(39) || '") + "'"


def raw(text: str) -> str:
    """Jinja must not read the placeholders inside."""
    return "{% raw %}" + text + "{% endraw %}"


def vectors_as_sql() -> str:
    """Columns `number` and `answer` (text); numbers count through `golden_vectors()`."""
    parts = [
        f"select {number} as number, cast({{{{ {vector.call} }}}} as {{{{ dbt.type_string() }}}}) as answer"
        f" from (select cast({raw(quoted(vector.said))} as {{{{ dbt.type_string() }}}}) as said) as vector"
        for number, vector in enumerate(golden_vectors())
    ]
    return "\nunion all\n".join(parts)

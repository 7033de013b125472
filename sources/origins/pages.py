"""Pages of records from a database or an interface, through the same path as files."""

from collections.abc import Sequence
from typing import Any

import dlt
import pyarrow as pa

from sources.conform import hints
from sources.landing import Landing
from sources.source import Source, Table


def landed(pages: Any, source: Source, table: Table, landing: Landing) -> Any:
    """Return the table's dlt resource: each page of records conformed to the shape of raw."""

    def conformed(records: Sequence[dict[str, Any]] | dict[str, Any]) -> list[pa.Table]:
        page = [records] if isinstance(records, dict) else records
        return landing.page(table, page)

    return pages | dlt.transformer(
        conformed, name=source.raw_name(table), columns=hints(table), write_disposition="append"
    )


def pages_name(source: Source, table: Table) -> str:
    """Say what dlt calls the unconformed pages, and keeps their cursor under."""
    return f"{source.raw_name(table)}__pages"


def settings_of(source: Source, kind: str, part: str) -> dict[str, Any]:
    """Return `[sources.<connector>.<kind>.<part>]`, with what the secrets add to it."""
    key = f"sources.{source.name}.{kind}.{part}"
    return merged(dlt.config.get(key, dict) or {}, dlt.secrets.get(key, dict) or {})


def merged(plain: dict[str, Any], secret: dict[str, Any]) -> dict[str, Any]:
    """Return both, nested; where they disagree the secret counts."""
    both = dict(plain)
    for key, value in secret.items():
        mine = both.get(key)
        both[key] = merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return both

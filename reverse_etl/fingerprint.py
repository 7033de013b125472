"""SQL for texts that differ whenever a name or a value does, nulls included; only mapped columns count."""

import hashlib
from collections.abc import Collection, Iterable, Mapping

from reverse_etl.mapping import PLAIN, placeholders
from reverse_etl.sync import Sync
from reverse_etl.warehouse import quoted


def encoded(columns: Mapping[str, str], table: str) -> str:
    """Write SQL for a text of named columns."""
    return _joined((name, f"{table}.{quoted(column)}") for name, column in sorted(columns.items()))


def _joined(named: Iterable[tuple[str, str]]) -> str:
    parts = []
    for name, expression in named:
        value = f"cast({expression} as varchar)"
        # `concat` skips nulls: a missing value has no length, an empty one has length 0.
        parts.append(f"concat('{name}=', length({value}), ':', {value})")
    return " || ".join(parts) or "'nothing'"


def payload_of(sync: Sync, unreadable: Collection[str], table: str) -> str:
    """Write SQL for the fingerprint of what would be sent.

    Columns that may not leave as fields don't count, nor what is sent only once; how a field is mapped does.
    """
    named = []
    for column, name in sorted(sync.fields.items(), key=lambda pair: pair[1]):
        rule = sync.rule(name)
        if column in unreadable or rule.set_once:
            continue
        label = name if rule == PLAIN else f"{name}!{rule.nulls}!{rule.type}"
        named.append((label, f"{table}.{quoted(column)}"))
    for name, template in sorted(sync.templates.items()):
        text = hashlib.md5(repr(template).encode(), usedforsecurity=False).hexdigest()  # quotes stay out of SQL
        columns = placeholders(template)
        named += [(f"{name}!{text}", f"{table}.{quoted(column)}") for column in columns]
        if not columns:
            named.append((f"{name}!{text}", "null"))
    if sync.split and sync.split.field:
        named.append((f"{sync.split.field}!arm", sync.split.sql(f"{table}.profile_id")))
    return f"md5({_joined(named)})"

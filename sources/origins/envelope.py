"""A line of the log -> a row of the table that its lane names.

Three kinds of line: an event in its envelope, a webhook's row, a refusal. Every line becomes one row, whatever it
holds; what the table doesn't declare is kept in `other_fields`. Nothing here raises for what a client sent.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

import orjson

from sources.clocks import corrected
from sources.source import Table, Type

OTHER = "other_fields"
OTHER_KEY = b'"other_fields":'
RECEIVED = "received_at"
Fields = dict[str, Any]


class Shape:
    """A table as lines see it: which names are its columns, in snake case or as JavaScript spells them."""

    def __init__(self, table: Table) -> None:
        self.names = [column.name for column in table.columns]
        self.columns = {spelt: name for name in self.names for spelt in (name, camel(name))}
        self.nested = frozenset(column.name for column in table.columns if column.type is Type.JSON)

    def rows(self, lines: Iterable[tuple[int, bytes]]) -> tuple[list[bytes], list[str]]:
        """Return each line as a row in JSON, and the columns that these rows have."""
        rows = [self.row(line, at) for at, line in lines]
        has_other = OTHER in self.names or any(OTHER_KEY in row for row in rows)
        return rows, list(dict.fromkeys([*self.names, *([OTHER] if has_other else [])]))

    def row(self, line: bytes, at: int) -> bytes:
        """Return the line as a row in JSON, with its place as `_row_number`."""
        try:
            return self._row(orjson.loads(line), at)
        except (ValueError, TypeError, OverflowError):  # half an emoji, 1e400, too deep
            return self._repaired(line, at)

    def _repaired(self, line: bytes, at: int) -> bytes:
        try:
            return self._row(mended(json.loads(line)), at)
        except (ValueError, TypeError, OverflowError, RecursionError):
            unread = line.decode("utf-8", "replace").replace("\0", "")
            return orjson.dumps({"_row_number": at, OTHER: {"unread": unread}})

    def _row(self, envelope: Any, at: int) -> bytes:
        fields = flattened(envelope) if isinstance(envelope, dict) else {"unread": envelope}
        row: Fields = {"_row_number": at}
        other: Fields = {}
        for key, value in fields.items():
            if value is None:
                continue
            name = self.columns.get(key)
            if name is None and key == RECEIVED:
                continue
            if name is None or name in row or (name in self.nested and not isinstance(value, dict | list)):
                other[key] = value
            else:
                row[name] = value
        if other:
            row[OTHER] = other
        return orjson.dumps(row)


def flattened(envelope: Fields) -> Fields:
    """Return the fields of the row inside: an event's corrected by its envelope, others as they are."""
    if isinstance(event := envelope.get("event"), dict):
        return event_fields(envelope, event)
    if isinstance(row := envelope.get("row"), dict):
        return {RECEIVED: envelope.get("receivedAt"), **row}
    codes = envelope.get("codes")
    return {**envelope, "code": codes[0] if isinstance(codes, list) and codes else None}


def event_fields(envelope: Fields, event: Fields) -> Fields:
    """Return the envelope's fields first, because the first that names a column counts."""
    defaults = envelope.get("defaults") or {}
    original = event.get("originalTimestamp") or event.get("timestamp")
    sent = event.get("sentAt") or envelope.get("sentAt")
    received = envelope.get("receivedAt")
    context = merged(defaults.get("context"), event.get("context"))
    integrations = merged(defaults.get("integrations"), event.get("integrations"))
    told: Fields = {
        "type": event.get("type") or envelope.get("type"),
        "context": with_network(context, envelope.get("ip")),
        "integrations": integrations,
        "messageId": envelope.get("messageId"),
        "writeKey": envelope.get("writeKey"),
        "receivedAt": received,
        "sentAt": sent,
        "originalTimestamp": original,
        "timestamp": corrected(original, sent, received),
        "consent": envelope.get("consent"),
        "isBot": envelope.get("isBot"),
        "violations": envelope.get("violations"),
        "planVersion": envelope.get("planVersion"),
    }
    for key, value in event.items():
        if key not in told:
            told[key] = value
    return told


def merged(defaults: Any, own: Any) -> Any:
    """Return a batch's defaults under the event's own values, at every depth."""
    if not isinstance(defaults, dict):
        return own
    if own is None:
        return defaults
    if not isinstance(own, dict):
        return own
    return {**defaults, **{key: merged(defaults.get(key), value) for key, value in own.items()}}


def with_network(context: Any, network: Any) -> Any:
    """Return the context with the network of who called, where it names none itself. The collector cut both."""
    if network and (context is None or (isinstance(context, dict) and not context.get("ip"))):
        return {**(context or {}), "ip": network}
    return context


def mended(value: Any) -> Any:
    """Return JSON any warehouse can hold: halves of characters are replaced, numbers beyond all bounds are null."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return str(value)
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def camel(name: str) -> str:
    """`message_id` -> `messageId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)

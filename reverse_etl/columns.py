"""Typed columns of a table or file: values become text that a cast can't misread, or name their flaw."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from reverse_etl.destination import Change, Outcome, Receipt, Scalar, Spec, identifiers_of
from reverse_etl.sync import BadDeclaration, Sync

WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
LARGEST = 2**63 - 1
LONGEST_TEXT = 1_000_000


class Misfit(ValueError):
    """The value isn't of the column's type."""


def _text(value: Scalar) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # A file with a NUL or an endless line is written, and then can't be read again by anybody.
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise Misfit
    return text


def _integer(value: Scalar) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, float) and not value.is_integer():
        raise Misfit
    if not is_number and not (isinstance(value, str) and WHOLE.fullmatch(value)):
        raise Misfit
    whole = int(value)  # type: ignore[arg-type]  # a number or digits by now
    if abs(whole) > LARGEST:
        raise Misfit
    return str(whole)


def _number(value: Scalar) -> str:
    if isinstance(value, bool) or value is None:
        raise Misfit
    try:
        is_finite = math.isfinite(float(value)) and "_" not in str(value)
    except (ValueError, OverflowError) as error:
        raise Misfit from error
    if not is_finite:
        raise Misfit
    return str(value).strip()


def _boolean(value: Scalar) -> str:
    said = _text(value).strip().lower()
    if said not in {"true", "false"}:
        raise Misfit
    return said


def _date(value: Scalar) -> str:
    day: date = _parsed(date.fromisoformat, value)
    return day.isoformat()


def _timestamp(value: Scalar) -> str:
    moment: datetime = _parsed(datetime.fromisoformat, value)
    return (moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)).isoformat(" ")


def _parsed(parse: Callable[[str], Any], value: Scalar) -> Any:
    try:
        return parse(str(value))
    except (ValueError, OverflowError) as error:
        raise Misfit from error


TYPES: dict[str, Callable[[Scalar], str]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,  # in UTC
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Name → type, in their order; `keys` find a member; in `kept` a null leaves what is there as it is."""

    types: Mapping[str, str]
    keys: tuple[str, ...]
    kept: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.types)

    def values(self, change: Change) -> list[str | None]:
        """Give the row as text; Misfit names the type and column."""
        known = {**change.fields, **change.identifiers}
        row: list[str | None] = []
        for name, kind in self.types.items():
            value = known.get(name)
            try:
                row.append(None if value is None else TYPES[kind](value))
            except Misfit as error:
                raise Misfit(f"no_{kind}_{name}"[:64]) from error
        return row

    def key_texts(self, identifiers: Mapping[str, Scalar]) -> dict[str, str]:
        """Write what finds a member as it is read from a column; what is of another type was never written."""
        texts = {}
        for name in self.keys:
            try:
                texts[name] = TYPES[self.types[name]](identifiers.get(name))
            except Misfit:
                texts[name] = ""
        return texts

    def fitting(self, rows: Sequence[Change]) -> tuple[list[tuple[Change, list[str | None]]], dict[str, str]]:
        """Part rows into those to write, with their values, and operation_id → flaw of the others."""
        fit, flaws = [], {}
        for change in rows:
            try:
                fit.append((change, self.values(change)))
            except Misfit as error:
                flaws[change.operation_id] = str(error)
        return fit, flaws

    def receipts(self, rows: Sequence[Change]) -> list[Receipt]:
        """Say of a batch that was written which rows were left out of it."""
        _, flaws = self.fitting(rows)
        return [
            Receipt(row, Outcome.REJECTED, flaws[row.operation_id])
            if row.operation_id in flaws
            else Receipt(row, Outcome.DELIVERED)
            for row in rows
        ]


def columns_of(sync: Sync, reserved: Sequence[str] = ()) -> Columns:
    """Read the columns a sync maps to, of the types that its fields and constants have, else text."""
    keys = tuple(identifiers_of(sync, Spec(batch_rows=1)))
    names = list(dict.fromkeys([*keys, *sync.names]))
    if taken := sorted(set(names) & set(reserved)):
        raise BadDeclaration(f"{sync.name}: {taken[0]} is the destination's own column: map to another name")
    kept = frozenset(name for name in names if sync.rule(name).nulls == "skip" or sync.rule(name).set_once)
    return Columns({name: _type(sync, name) for name in names}, keys, kept - set(keys))


def _type(sync: Sync, name: str) -> str:
    constant = sync.templates.get(name)
    if constant is not None and not isinstance(constant, str):
        return "boolean" if isinstance(constant, bool) else "number"
    declared = sync.rule(name).type
    return "text" if declared == "any" else declared

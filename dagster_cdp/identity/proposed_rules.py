"""Whether a proposed `identifier_rules.csv` could be used at all, before anything is built from it."""

import csv
from collections import Counter
from pathlib import Path

STRENGTHS = ("exact", "strict", "loose")
CODES = range(16)  # four bits of every stored node id
WHOLE_NUMBERS = ("priority", "window_days")  # and every max_… column


class BadRules(ValueError):
    """The proposed rules can't be used; the message names the line and what is wrong in it."""


def check_rules(file: Path, current: Path) -> None:
    """Refuse what would break the build, or the node ids that are stored."""
    proposed, columns = _read(file)
    known, expected = _read(current)
    if columns != expected:
        raise BadRules(f"{file.name}: the first line must be {','.join(expected)}")
    if not proposed:
        raise BadRules(f"{file.name} has no rules")
    for line, row in enumerate(proposed, start=2):
        _check_row(row, f"{file.name} line {line}")
    for column in ("identifier_type", "type_code", "priority"):
        twice = [value for value, count in Counter(row[column] for row in proposed).items() if count > 1]
        if twice:
            raise BadRules(f"{file.name}: {column} {twice[0]} is given twice")
    codes = {row["identifier_type"]: row["type_code"] for row in known}
    types = {row["type_code"]: row["identifier_type"] for row in known}
    for row in proposed:
        kind, code = row["identifier_type"], row["type_code"]
        if codes.get(kind, code) != code or types.get(code, kind) != kind:
            raise BadRules(f"{file.name}: the type_code of {kind} can't change, it is part of every stored node id")


def _read(file: Path) -> tuple[list[dict[str, str]], list[str]]:
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            rows = csv.DictReader(opened)
            return list(rows), list(rows.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRules(f"{file} can't be read as CSV: {type(error).__name__}") from None


def _check_row(row: dict[str, str], place: str) -> None:
    if None in row or None in row.values():
        raise BadRules(f"{place}: not as many values as columns")
    if not row["identifier_type"]:
        raise BadRules(f"{place}: no identifier_type")
    if row["strength"] not in STRENGTHS:
        raise BadRules(f"{place}: the strength of {row['identifier_type']} must be one of {', '.join(STRENGTHS)}")
    if not row["type_code"].isdecimal() or int(row["type_code"]) not in CODES:
        raise BadRules(f"{place}: the type_code of {row['identifier_type']} must be a number from 0 to {CODES[-1]}")
    if not row["priority"]:
        raise BadRules(f"{place}: no priority")
    for column, value in row.items():
        is_number = column in WHOLE_NUMBERS or column.startswith("max_")
        if is_number and value and (not value.isdecimal() or int(value) == 0):
            raise BadRules(f"{place}: {column} must be a whole number above 0, or empty for any number")

"""Map rows as a sync says: what depends on the sync alone is worked out once, not for each row."""

from collections.abc import Sequence
from typing import Any

from reverse_etl.destination import Operation, Scalar
from reverse_etl.identity import Identity
from reverse_etl.mapping import fits, rendered
from reverse_etl.payload import scalar

_AS_THEY_ARE = (str, int, float, bool, type(None))


class Mapper:
    """From the columns it names to fields at the destination, and to the values that identify."""

    def __init__(self, identity: Identity) -> None:
        sync = self._sync = identity.sync
        self.columns = list(dict.fromkeys([*sync.columns, *identity.columns.values()]))
        place = {column: at for at, column in enumerate(self.columns)}
        self._given = [(name, place[column]) for name, column in identity.columns.items()]
        self._fields = [
            (name, place[column], sync.rule(name))
            for column, name in sync.fields.items()
            if column not in identity.unreadable
        ]
        self._types = [(name, place[column], sync.rule(name).type) for column, name in sync.fields.items()]
        self._types = [typed for typed in self._types if typed[2] != "any"]
        self._is_plain = not (sync.field_rules or sync.templates or sync.split)

    def map(
        self, operation: Operation, row: Sequence[Any], arm: str | None
    ) -> tuple[dict[str, Scalar], tuple[str, ...], dict[str, Scalar]]:
        """Give fields, the names of those to be emptied there, and what identifies."""
        values = [value if type(value) in _AS_THEY_ARE else scalar(value) for value in row]
        given = {name: values[place] for name, place in self._given}
        if self._is_plain:
            return {name: values[place] for name, place, _ in self._fields}, (), given
        fields, cleared = {}, []
        for name, place, rule in self._fields:
            value = values[place]
            if (rule.set_once and operation == "change") or (value is None and rule.nulls == "skip"):
                continue
            if value is None and rule.nulls == "clear":
                cleared.append(name)
            fields[name] = value
        named = dict(zip(self.columns, values, strict=True))
        fields |= {name: rendered(template, named) for name, template in self._sync.templates.items()}
        if self._sync.split and self._sync.split.field:
            fields[self._sync.split.field] = arm
        return fields, tuple(cleared), given

    def wrong_type(self, row: Sequence[Any]) -> str:
        """Name the first field whose value is not of the type that was promised; empty: none."""
        return next((f"wrong_type_{name}" for name, place, type_ in self._types if not fits(row[place], type_)), "")

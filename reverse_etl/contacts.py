"""What tools that keep contacts share: a contact is found by exactly one identifier.

Were the others part of who somebody is, a new phone number would be a removal and an addition. They are attributes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reverse_etl.destination import Change, Outcome, Receipt, Scalar, Spec
from reverse_etl.normalise import Identified, Unusable, fields_of, normalise
from reverse_etl.normalise import Options as Spelling
from reverse_etl.normalise import read_options as read_spelling
from reverse_etl.settings import Options
from reverse_etl.sync import BadDeclaration, Sync


class ContactOptions(Options):
    """`options` of a sync to such a tool; each tool adds its own."""

    find_by: str = ""  # the identifier that finds a person; default: the first mapped of those the tool knows
    names: Mapping[str, str] = {}  # mapped name: the tool's name, where it differs


@dataclass(frozen=True, slots=True)
class Contacts:
    """How a sync's rows are contacts of a platform."""

    platform: str
    found_by: str
    names: Mapping[str, str]
    spelling: Spelling

    @classmethod
    def of(
        cls,
        sync: Sync,
        options: ContactOptions,
        ways: Sequence[str],
        names: Mapping[str, str],
        *,
        can_update: bool = False,
    ) -> "Contacts":
        """`ways`: the identifiers the tool finds people by, best first; `names`: its own names of known fields.

        `can_update`: it can be told to write to whom it knows and to create nobody.
        """
        platform = sync.destination
        if sync.mode == "update" and not can_update:
            raise BadDeclaration(f"{sync.name}: mode: {platform} creates whom it doesn't know, and can't only update")
        mapped = set(sync.fields.values())
        found_by = options.find_by or next((way for way in ways if way in mapped), "")
        if found_by not in ways or found_by not in mapped:
            raise BadDeclaration(f"{sync.name}: {sync.destination} needs a column mapped to {' or '.join(ways)}")
        return cls(platform, found_by, {**names, **options.names}, read_spelling(sync, platform))

    def spec(self, batch_rows: int, batch_bytes: int, **further: Any) -> Spec:
        """Make the spec of a destination whose members are found by this one identifier."""
        found_by = (self.found_by,)
        return Spec(batch_rows, batch_bytes, identifiers=found_by, required=found_by, platform=self.platform, **further)

    def identify(self, fields: Mapping[str, Scalar]) -> Identified:
        try:
            found = self._written(self.found_by, fields.get(self.found_by), fields)
        except Unusable as unusable:
            return Identified({}, {self.found_by: unusable.reason})
        return Identified({self.found_by: str(found)}, {})

    @property
    def way(self) -> str:
        """Give the tool's own name of what finds a person."""
        return self.names.get(self.found_by, self.found_by)

    def named(self, row: Change) -> dict[str, Scalar]:
        """Give the whole person under the tool's names."""
        return {self.way: self.key(row), **self.attributes(row)}

    def key(self, row: Change) -> str:
        """Give what finds this person."""
        return str(row.identifiers[self.found_by])

    def member(self, said: object) -> dict[str, str]:
        """Name who a tool says is there; it may have changed the case of what it was told."""
        return {self.found_by: str(said).lower()}

    def known_as(self, identifiers: Mapping[str, Scalar]) -> dict[str, str]:
        return self.member(identifiers[self.found_by])

    def attributes(self, row: Change) -> dict[str, Scalar]:
        """Everything mapped but the identifier, as far as it changed, under the platform's names.

        What it can't take is left out.

        None stays: it says that there is no such value any more.
        """
        kept: dict[str, Scalar] = {}
        for name, value in {**row.fields, **dict.fromkeys(row.cleared)}.items():
            if name == self.found_by or not self._is_news(name, row):
                continue
            try:
                kept[self.names.get(name, name)] = None if value is None else self._written(name, value, row.fields)
            except Unusable:
                continue  # one bad phone number must not refuse the batch, nor the person
        return kept

    def _is_news(self, name: str, row: Change) -> bool:
        """What has a form of its own may be written by the row's country, and change with it."""
        if row.changed is None or name in row.changed:
            return True
        return "country" in row.changed and name in fields_of(self.platform)

    def _written(self, name: str, value: Scalar, fields: Mapping[str, Scalar]) -> Scalar:
        if name not in fields_of(self.platform):
            return value
        return normalise(self.platform, name, value, self.spelling, country=fields.get("country"))


def settled(rows: Sequence[Change], rejected: Mapping[str, str], failures: int = 0) -> list[Receipt]:
    """Give the word on each row: rejected under the code of its operation id, else delivered.

    An answer that counts more failures than it names leaves the others unknown.
    """
    rest = (Outcome.DELIVERED, "") if len(rejected) >= failures else (Outcome.UNKNOWN, "failures_not_named")
    return [
        Receipt(row, Outcome.REJECTED, rejected[row.operation_id])
        if row.operation_id in rejected
        else Receipt(row, *rest)
        for row in rows
    ]

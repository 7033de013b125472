"""People on their way to an ad platform: found by what it has rules for, and told as hashes only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reverse_etl.destination import Scalar, Spec
from reverse_etl.normalise import Identified, Options, fields_of, identify, read_options
from reverse_etl.sync import BadDeclaration, Sync


@dataclass(frozen=True, slots=True)
class People:
    """How a sync's rows are people at a platform."""

    platform: str
    names: tuple[str, ...]  # fields that find them; none: all the platform has rules for
    rules: Options

    @classmethod
    def of(cls, sync: Sync, platform: str, names: Sequence[str] = ()) -> "People":
        """`names`: the fields that may find somebody, where they are not all the platform has rules for."""
        mapped = tuple(name for name in names if name in sync.names)
        if names and not mapped:
            raise BadDeclaration(f"{sync.name}: {sync.destination} needs a column mapped to {' or '.join(names)}")
        return cls(platform, mapped, read_options(sync, platform))

    def spec(self, batch_rows: int, **further: Any) -> Spec:
        """Make the spec of an audience that takes nothing readable."""
        return Spec(batch_rows, identifiers=self.names, platform=self.platform, hash_only=True, **further)

    def identify(self, fields: Mapping[str, Scalar]) -> Identified:
        names = self.names or fields_of(self.platform)
        return identify(self.platform, {name: fields[name] for name in names if name in fields}, self.rules)

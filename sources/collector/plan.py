"""The tracking plan: which events there are and what they carry, in files of `plans/` that a company edits.

A file is YAML or JSON: `version`, `mode` (what becomes of an event that differs), `unplanned` (of an event the plan
doesn't name), and JSON Schemas: `events.<name>` for the properties of track calls, `types.<type>` for the traits or
properties of others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import msgspec
import orjson
from msgspec import Struct, field

from sources.refusals import BadConfiguration

FOLDER = Path(__file__).with_name("plans")
WITH_TRAITS = {"identify", "group"}
Fields = dict[str, Any]


class Declared(Struct, forbid_unknown_fields=True):
    """The file as it is written."""

    version: int | str
    mode: Literal["block", "allow", "strip"] = "block"
    unplanned: Literal["block", "allow"] = "allow"
    events: dict[str, Fields] = field(default_factory=dict)
    types: dict[str, Fields] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """What the plan says of one event: may it pass, why not wholly, and its text if something was taken out."""

    passes: bool
    codes: tuple[str, ...]
    raw: bytes


class Plan:
    """One plan; its schemas are compiled at the start, so that a faulty one is found there."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self.version = str(declared.version)
        self._events = {name: Rule(schema) for name, schema in declared.events.items()}
        self._types = {name: Rule(schema) for name, schema in declared.types.items()}

    def judge(self, raw: bytes, kind: str, name: str | None) -> Judged:
        """Compare the event with its rule, by the plan's mode."""
        rule = self._events.get(name or "") if kind == "track" else self._types.get(kind)
        if rule is None:
            if kind == "track" and self._events:
                return Judged(self._declared.unplanned == "allow", ("unplanned_event",), raw)
            return Judged(True, (), raw)
        event = orjson.loads(raw)
        place = "traits" if kind in WITH_TRAITS else "properties"
        fields = event.get(place)
        codes = rule.codes({} if fields is None else fields)
        if not codes or self._declared.mode == "allow":
            return Judged(True, codes, raw)
        if self._declared.mode == "block" or not isinstance(fields, dict):
            return Judged(False, codes, raw)
        return self._stripped(rule, event, place, codes)

    def _stripped(self, rule: "Rule", event: Fields, place: str, codes: tuple[str, ...]) -> Judged:
        """Take out what the schema doesn't name; what is then still wrong is blocked."""
        event[place] = {name: value for name, value in event[place].items() if name in rule.names}
        left = rule.codes(event[place])
        return Judged(not left, left or codes, orjson.dumps(event))


class Rule:
    """The schema of one event."""

    def __init__(self, schema: Fields) -> None:
        self.names = frozenset(schema.get("properties", {}))
        self._validator = jsonschema_rs.validator_for(schema)

    def codes(self, fields: object) -> tuple[str, ...]:
        """Return where the schema is not met, in the schema's own words; never a value or a name from the data."""
        if self._validator.is_valid(fields):
            return ()
        found: Iterable[Any] = self._validator.iter_errors(fields)
        return tuple(dict.fromkeys("plan:" + "/".join(str(step) for step in error.schema_path) for error in found))


def read_plan(name: str, folder: Path = FOLDER) -> Plan:
    """Read `<name>.yml`, `.yaml` or `.json`. Raises BadConfiguration, saying what to change."""
    for file in sorted(folder.glob(f"{name}.*")):
        if file.suffix in {".yml", ".yaml", ".json"}:
            try:
                return Plan(msgspec.yaml.decode(file.read_bytes(), type=Declared))
            except (msgspec.DecodeError, jsonschema_rs.ValidationError) as error:
                raise BadConfiguration(f"{file}: {error}") from None
    raise BadConfiguration(f"no tracking plan {name!r} in {folder}")

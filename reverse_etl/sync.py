"""A sync is a file: which audience goes where, for which purpose, through which channel."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from reverse_etl.limits import Guard, Guards
from reverse_etl.mapping import PLAIN, FieldRule, placeholders
from reverse_etl.split import Split
from reverse_etl.warehouse import IDENTIFIER

SYNCS = Path(__file__).parent / "syncs"

Name = Annotated[str, Field(pattern=f"^{IDENTIFIER.pattern}$")]
Purpose = Literal["marketing", "advertising", "personalization", "analytics"]
Channel = Literal["email", "sms", "push", "ads", "onsite", "post"]
Mode = Literal["mirror", "upsert", "insert", "update", "add", "remove", "append_events"]
Constant = str | int | float | bool


class BadDeclaration(ValueError):
    """A declaration that can't be honoured; the message is one line: what, where, how to fix."""


class Sync(BaseModel):
    """One `syncs/<audience>_to_<destination>.yml`, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audience: Name
    destination: Name
    purpose: Purpose | tuple[Purpose, ...]
    channel: Channel
    key: Name = "profile_id"
    mode: Mode = "mirror"
    fields: dict[Name, Name] = Field(min_length=1)  # column of the audience: name at the destination
    field_rules: dict[Name, FieldRule] = Field(default_factory=dict)  # by name at the destination
    templates: dict[Name, Constant] = Field(default_factory=dict)  # name at the destination: text with {column}s
    options: dict[str, Any] = Field(default_factory=dict)
    min_confidence: Literal["exact", "strict", "loose"] = "loose"  # how sure it must be who the person is
    owner: str = Field(default="team:marketing", pattern=r"^(team:[a-z0-9_-]+|[^@\s]+@[^@\s]+)$")
    max_removed_share: float = Field(default=0.3, ge=0, le=1)  # the limit of guards.removed_share, in short
    guards: Guards = Guards()
    after: tuple[Name, ...] = ()  # syncs that run before this one
    split: Split | None = None

    @property
    def name(self) -> str:
        return f"{self.audience}_to_{self.destination}"

    @property
    def names(self) -> tuple[str, ...]:
        """All names at the destination, in the order of the file."""
        arm = (self.split.field,) if self.split and self.split.field else ()
        return (*self.fields.values(), *self.templates, *arm)

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        return (self.purpose,) if isinstance(self.purpose, str) else self.purpose

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the audience that the mapping reads."""
        named = (name for template in self.templates.values() for name in placeholders(template))
        return tuple(dict.fromkeys([*self.fields, *named]))

    @property
    def removed_share(self) -> Guard:
        """The guard on removals, whichever way its limit is declared."""
        guard = self.guards.removed_share
        return (
            guard if "limit" in guard.model_fields_set else guard.model_copy(update={"limit": self.max_removed_share})
        )

    def rule(self, name: str) -> FieldRule:
        return self.field_rules.get(name, PLAIN)

    @model_validator(mode="before")
    @classmethod
    def _rules_stand_in_fields(cls, declared: Any) -> Any:
        """`column: {to: name, nulls: skip}` is a mapping and a rule."""
        fields = declared.get("fields") if isinstance(declared, dict) else None
        if not isinstance(fields, dict) or not any(isinstance(value, dict) for value in fields.values()):
            return declared
        plain, rules = {}, dict(declared.get("field_rules") or {})
        for column, value in fields.items():
            rule = dict(value) if isinstance(value, dict) else {"to": value}
            plain[column] = rule.pop("to", column)
            if rule:
                rules[plain[column]] = rule
        return {**declared, "fields": plain, "field_rules": rules}

    @model_validator(mode="after")
    def _names_are_one_each(self) -> Self:
        if len(set(self.fields.values())) < len(self.fields):
            raise ValueError("fields: two columns are mapped to one field")
        if len(set(self.names)) < len(self.names):
            raise ValueError("templates: a field is mapped twice")
        for template in self.templates.values():
            placeholders(template)
        if stray := sorted(set(self.field_rules) - set(self.fields.values())):
            raise ValueError(f"field_rules: no field {', '.join(stray)}")
        if not self.purposes or len(set(self.purposes)) < len(self.purposes):
            raise ValueError("purpose: name each purpose once")
        if self.name in self.after:
            raise ValueError("after: a sync can't wait for itself")
        return self

    @model_validator(mode="before")
    @classmethod
    def _consent_is_declared(cls, declared: Any) -> Any:
        missing = [word for word in ("purpose", "channel") if word not in (declared or {})]
        if missing:
            raise ValueError(
                f"no {' and no '.join(missing)}: add it; consent is joined on purpose and channel, "
                "and without them nothing is sent"
            )
        return declared


def load_sync(file: Path) -> Sync:
    """Read the sync a file declares; the file's name must be `<audience>_to_<destination>`."""
    try:
        sync = Sync.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise BadDeclaration(f"{file.name}: not YAML ({_one_line(error)})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadDeclaration(f"{file.name}: {_told(first)}") from error
    if sync.name != file.stem:
        raise BadDeclaration(f"{file.name}: rename it to {sync.name}.yml, as its audience and destination say")
    return sync


def all_syncs(folder: Path = SYNCS) -> list[Sync]:
    """Every sync there is, by name: the folder is the registry. Refuses an order that can't be kept."""
    syncs = [load_sync(file) for file in sorted(folder.glob("*.yml"))]
    in_order(syncs)
    return syncs


def in_order(syncs: list[Sync]) -> list[Sync]:
    """Sort so that each comes after those it names in `after`; raises BadDeclaration on circles and strangers."""
    by_name = {sync.name: sync for sync in syncs}
    ordered: dict[str, Sync] = {}

    def visit(sync: Sync, waiting: tuple[str, ...]) -> None:
        if sync.name in waiting:
            raise BadDeclaration(f"{sync.name}.yml: after: a circle, {' after '.join((*waiting, sync.name))}")
        for name in sync.after:
            if name not in by_name:
                raise BadDeclaration(f"{sync.name}.yml: after: no sync {name!r}")
            visit(by_name[name], (*waiting, sync.name))
        ordered.setdefault(sync.name, sync)

    for sync in syncs:
        visit(sync, ())
    return list(ordered.values())


def find_sync(name: str, folder: Path = SYNCS) -> Sync:
    """Find the sync of that name."""
    file = folder / f"{name}.yml"
    if not IDENTIFIER.fullmatch(name) or not file.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yml"))) or "none yet"
        raise BadDeclaration(f"no sync {name!r} in {folder.name}/: there are {known}")
    return load_sync(file)


def _told(error: ErrorDetails) -> str:
    """Say what is wrong where, in words of the file and not of the validator."""
    where = ".".join(str(part) for part in error["loc"] if "[" not in str(part))
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        return f"{where}: there is no such word; there are {', '.join(sorted(Sync.model_fields))}"
    if error["type"] == "string_pattern_mismatch" and error["loc"][0] in {"fields", "templates"}:
        return f"{where}: names are lower-case letters, digits and _; what a tool calls them goes into options.names"
    return f"{where + ': ' if where else ''}{_one_line(error['msg'])}"


def _one_line(message: object) -> str:
    return " ".join(str(message).split()).removeprefix("Value error, ")

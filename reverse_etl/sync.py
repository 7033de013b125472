"""A sync is a file: which audience goes where, for which purpose, through which channel."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reverse_etl.warehouse import IDENTIFIER

SYNCS = Path(__file__).parent / "syncs"

Name = Annotated[str, Field(pattern=f"^{IDENTIFIER.pattern}$")]
Purpose = Literal["marketing", "advertising", "personalization", "analytics"]
Channel = Literal["email", "sms", "push", "ads", "onsite", "post"]


class BadDeclaration(ValueError):
    """A declaration that can't be honoured; the message is one line: what, where, how to fix."""


class Sync(BaseModel):
    """One `syncs/<audience>_to_<destination>.yml`, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audience: Name
    destination: Name
    purpose: Purpose
    channel: Channel
    key: Name = "profile_id"
    mode: Literal["mirror", "upsert"] = "mirror"
    fields: dict[Name, Name] = Field(min_length=1)  # column of the audience: name at the destination
    options: dict[str, Any] = Field(default_factory=dict)
    min_confidence: Literal["exact", "strict", "loose"] = "loose"  # how sure it must be who the person is
    owner: str = Field(default="team:marketing", pattern=r"^(team:[a-z0-9_-]+|[^@\s]+@[^@\s]+)$")
    max_removed_share: float = Field(default=0.3, ge=0, le=1)

    @property
    def name(self) -> str:
        return f"{self.audience}_to_{self.destination}"

    @property
    def names(self) -> tuple[str, ...]:
        """All names at the destination."""
        return tuple(self.fields.values())

    @field_validator("fields")
    @classmethod
    def _one_column_per_field(cls, fields: dict[str, str]) -> dict[str, str]:
        if len(set(fields.values())) < len(fields):
            raise ValueError("two columns are mapped to one field")
        return fields

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
        where = ".".join(map(str, first["loc"]))
        raise BadDeclaration(f"{file.name}: {where + ': ' if where else ''}{_one_line(first['msg'])}") from error
    if sync.name != file.stem:
        raise BadDeclaration(f"{file.name}: rename it to {sync.name}.yml, as its audience and destination say")
    return sync


def all_syncs(folder: Path = SYNCS) -> list[Sync]:
    """Every sync there is: the folder is the registry."""
    return [load_sync(file) for file in sorted(folder.glob("*.yml"))]


def find_sync(name: str, folder: Path = SYNCS) -> Sync:
    """Find the sync of that name."""
    file = folder / f"{name}.yml"
    if not IDENTIFIER.fullmatch(name) or not file.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yml"))) or "none yet"
        raise BadDeclaration(f"no sync {name!r} in {folder.name}/: there are {known}")
    return load_sync(file)


def _one_line(message: object) -> str:
    return " ".join(str(message).split()).removeprefix("Value error, ")

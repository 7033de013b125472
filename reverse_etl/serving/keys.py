"""Who may ask for what: a file of keys, each by its hash, with scopes, purposes and limits.

A key is 32 random bytes, so one round of SHA-256 is as good as many. `service` is the purpose of answering somebody who
turned to us: it asks for no consent, and a key that has it must say on which ground (`basis`).
"""

import hashlib
import hmac
import os
import secrets
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reverse_etl.environment import home
from reverse_etl.serving.identifier import TYPES
from reverse_etl.sync import BadDeclaration, Channel, Name, Purpose

SCOPES = ("identity", "traits", "audiences", "consents", "events")
Scope = Literal["identity", "traits", "audiences", "consents", "events"]
SERVICE = "service"
CONFIDENCES = ("loose", "strict", "exact")


class Key(BaseModel):
    """One entry of the file, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: tuple[Scope, ...] = Field(min_length=1)
    purposes: tuple[Purpose | Literal["service"], ...] = Field(min_length=1)
    channel: Channel | None = None
    basis: str = ""  # of `service`: why no consent is asked
    identifiers: tuple[str, ...] = TYPES  # by which types of identifier it may ask
    traits: tuple[Name, ...] | None = None  # only these (default: all)
    audiences: tuple[Name, ...] | None = None
    min_confidence: Literal["exact", "strict", "loose"] = "loose"
    requests_per_second: float = Field(default=50, gt=0)
    burst: int = Field(default=100, ge=1)
    expires_on: date | None = None

    @model_validator(mode="after")
    def _says_on_which_ground(self) -> Self:
        if self.asked and not self.channel:
            raise ValueError("channel: name it; consent is joined on purpose and channel")
        if SERVICE in self.purposes and not self.basis:
            raise ValueError("basis: say why this key asks for no consent")
        if SERVICE in self.purposes and self.asked:
            raise ValueError("purposes: service stands alone; make two keys")
        if stray := set(self.identifiers) - set(TYPES):
            raise ValueError(f"identifiers: {min(stray)!r} is none of {', '.join(TYPES)}")
        return self

    @property
    def asked(self) -> tuple[str, ...]:
        """List the purposes that need consent."""
        return tuple(purpose for purpose in self.purposes if purpose != SERVICE)


class Keys:
    """The keys of a file; read again when it changes, so that a key that is taken out is out at once."""

    def __init__(self, path: Path) -> None:
        self._path, self._changed_at = path, -1
        self._keys: dict[str, tuple[str, Key]] = {}
        self._read()

    def find(self, token: str, today: date) -> tuple[str, Key] | None:
        """Give name and rights of a key; None when there is no such, or it has expired."""
        self._read()
        digest = hashlib.sha256(token.encode()).hexdigest()
        found = self._keys.get(digest)
        if found is None or not hmac.compare_digest(found[1].sha256, digest):
            return None
        return None if found[1].expires_on and today > found[1].expires_on else found

    def _read(self) -> None:
        try:
            changed_at = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            self._keys, self._changed_at = {}, -1
            return
        if changed_at != self._changed_at:
            self._keys = {key.sha256: (name, key) for name, key in load_keys(self._path).items()}
            self._changed_at = changed_at


def default_path() -> Path:
    """Name the file: CDP_API_KEYS, else one among the state."""
    return Path(os.environ.get("CDP_API_KEYS") or home() / "serving" / "keys.yml")


def load_keys(path: Path) -> dict[str, Key]:
    """Read the keys by name; an error is one line that names file and field."""
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise BadDeclaration(f"{path.name}: not YAML ({' '.join(str(error).split())})") from error
    keys = {}
    for name, entry in declared.items():
        try:
            keys[str(name)] = Key.model_validate(entry)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise BadDeclaration(f"{path.name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    return keys


def add_key(path: Path, name: str, rights: dict[str, object]) -> str:
    """Make a key, write its hash into the file, and give the key: it can't be read again."""
    declared = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    declared = declared or {}
    if name in declared:
        raise BadDeclaration(f"{path.name}: there is a key {name!r}; take it out first")
    token = f"cdp_{secrets.token_urlsafe(32)}"
    entry = {"sha256": hashlib.sha256(token.encode()).hexdigest(), **rights}
    try:
        Key.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "rights"
        raise BadDeclaration(f"{name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(yaml.safe_dump({**declared, name: entry}, sort_keys=False), encoding="utf-8")
    new.replace(path)
    return token

"""A destination without code: `destinations/<name>.yml` says how rows become requests and what answers mean."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reverse_etl.destination import Spec, by_operation
from reverse_etl.http_answer import Accepted, Answer, Rows
from reverse_etl.http_auth import Auth, Header
from reverse_etl.http_place import Below, Url
from reverse_etl.http_reading import Members, Size
from reverse_etl.sync import BadDeclaration, Name, Sync
from reverse_etl.template import BadTemplate, Placeholder, has_each, parsed, placeholders

OF_SYNC = {"sync", "audience", "batch_id", "operation", "options"}
OF_ROW = {"operation_id", "member_id", "key", "identifiers", "fields"}
DEFAULT_ROWS = 100


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Operation(_Part):
    """One request: `body` is JSON with placeholders; `accepted` and `rows` override those of `answer`."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Below
    headers: dict[Header, str] = Field(default_factory=dict)
    encode: Literal["json", "form", "lines"] = "json"
    body: Any = None
    accepted: Accepted | None = None
    rows: Rows | None = None

    @property
    def takes_many(self) -> bool:
        return has_each(self.body)

    @model_validator(mode="after")
    def _can_be_filled(self) -> Self:
        try:
            for found, is_in_each in placeholders(self.body):
                _known(found, OF_SYNC | OF_ROW if is_in_each or not self.takes_many else OF_SYNC)
            for text in (self.path, *self.headers.values()):
                for part in parsed(text):
                    if isinstance(part, Placeholder):
                        _fit_for_logs(part)
        except BadTemplate as error:
            raise ValueError(str(error)) from error
        if self.encode == "form" and (self.takes_many or not isinstance(self.body, Mapping)):
            raise ValueError("a form is a mapping for one row, without `each`")
        if self.encode == "lines" and not (isinstance(self.body, Mapping) and set(self.body) == {"each"}):
            raise ValueError("lines are one `each` and nothing around it")
        return self

    def named(self, root: str) -> Iterator[Placeholder]:
        """Every placeholder of a root, such as fields."""
        texts = [self.body, self.path, *self.headers.values(), *([self.rows.named] if self.rows else [])]
        yield from (found for text in texts for found, _ in placeholders(text) if found.path[0] == root)


class Limits(_Part):
    """What the API takes; `rows` is 100 where every body has an `each`, else 1."""

    rows: int | None = Field(default=None, gt=0)
    bytes: int = Field(default=1_000_000, gt=0)
    requests_per_second: float | None = Field(default=None, gt=0)
    daily_rows: int | None = Field(default=None, gt=0)
    attempts: int = Field(default=5, gt=0)
    timeout_seconds: float = Field(default=30, gt=0)
    smallest_audience: int = Field(default=0, ge=0)
    cost_per_row: float = Field(default=0, ge=0)


class Idempotency(_Part):
    """The header that carries a batch's key, and whether the API does nothing twice under it or an operation_id."""

    header: Header = "idempotency-key"
    honoured: bool = True


class Operations(_Part):
    """`put` is `add` and `change` in one."""

    put: Operation | None = None
    add: Operation | None = None
    change: Operation | None = None
    remove: Operation

    @model_validator(mode="after")
    def _each_is_there_once(self) -> Self:
        if bool(self.put) == bool(self.add or self.change) or (not self.put and not (self.add and self.change)):
            raise ValueError("say `put`, or both `add` and `change`, and `remove`")
        if any(self.remove.named("fields")):
            raise ValueError("remove: a removal has identifiers and no fields")
        return self

    def of(self, operation: str) -> Operation:
        return self.all().get(operation) or self.all()["put"]

    def all(self) -> dict[str, Operation]:
        return {name: found for name in type(self).model_fields if (found := getattr(self, name))}


class Declaration(_Part):
    """A destination. `identifiers` find a member (none: the sync's key does), `options` are words each sync gives."""

    url: Url
    auth: Auth | None  # None: none, said
    operations: Operations
    answer: Answer = Answer()
    identifiers: tuple[Name, ...] = ()
    required: tuple[Name, ...] = ()
    options: tuple[Name, ...] = ()
    platform: str = ""
    hash_only: bool = False
    matches_any: bool | None = None  # each of `identifiers` finds a person by itself; default: where it is hash_only
    limits: Limits = Limits()
    idempotency: Idempotency | None = None
    is_set: bool = True  # delivering a change twice leaves the same state
    size: Size | None = None
    members: Members | None = None
    headers: dict[Header, Annotated[str, Field(pattern=r"^[^{}\r\n]*$")]] = Field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows one request takes."""
        takes_many = all(operation.takes_many for operation in self.operations.all().values())
        return self.limits.rows or (DEFAULT_ROWS if takes_many else 1)

    def spec(self) -> Spec:
        """What the engine must know."""
        return Spec(
            batch_rows=self.rows,
            batch_bytes=self.limits.bytes,
            identifiers=self.identifiers,
            required=self.required,
            honours_operation_ids=bool(self.idempotency and self.idempotency.honoured),
            is_set=self.is_set,
            attempts=self.limits.attempts,
            classify=self.answer.classify,
            platform=self.platform,
            hash_only=self.hash_only,
            matches_any=self.matches_any,
            shape=by_operation if self.operations.put else lambda change: change.operation,
            smallest_audience=self.limits.smallest_audience,
            requests_per_second=self.limits.requests_per_second,
            cost_per_row=self.limits.cost_per_row,
            daily_rows=self.limits.daily_rows,
        )

    @field_validator("auth", mode="before")
    @classmethod
    def _none_is_a_word(cls, said: Any) -> Any:
        return None if said == "none" else said

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for name, operation in self.operations.all().items():
            if self.rows > 1 and not operation.takes_many:
                raise ValueError(f"operations.{name}: a body without `each` takes one row: limits.rows must be 1")
            for found in operation.named("options"):
                if len(found.path) == 1 or found.path[1] not in self.options:
                    raise ValueError(f"operations.{name}: {'.'.join(found.path)} is not among options")
            for found in operation.named("identifiers"):
                if len(found.path) > 1 and found.path[1] not in (self.identifiers or found.path[1:]):
                    raise ValueError(f"operations.{name}: {'.'.join(found.path)} is not among identifiers")
        if self.members and self.identifiers and set(self.members.identifiers) != set(self.identifiers):
            raise ValueError("members.identifiers: say where each of identifiers is")
        return self

    @field_validator("size", "members")
    @classmethod
    def _asks_by_names_of_the_sync(cls, question: Size | Members | None) -> Size | Members | None:
        for part in parsed(question.path) if question else ():
            if isinstance(part, Placeholder):
                _known(part, OF_SYNC)
        return question


def _known(found: Placeholder, roots: set[str]) -> None:
    if found.path[0] not in OF_SYNC | OF_ROW:
        raise BadTemplate(f"{found.path[0]!r} is none of {', '.join(sorted(OF_SYNC | OF_ROW))}")
    if found.path[0] not in roots:
        raise BadTemplate(f"{found.path[0]!r} is a row's and stands outside of `each`")


def _fit_for_logs(found: Placeholder) -> None:
    """Addresses and headers end up in logs all along the way: nothing personal may stand in them."""
    _known(found, OF_SYNC | OF_ROW)
    if found.path[0] in {"key", "identifiers", "fields"} and not found.is_hashed:
        raise BadTemplate(f"{'.'.join(found.path)} is personal: paths and headers take it hashed, as in {{x:sha256}}")


def read(said: Any, where: str) -> Declaration:
    """Validate a declaration; BadDeclaration is one line: where, what."""
    try:
        return Declaration.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = " ".join(first["msg"].split()).removeprefix("Value error, ")
        raise BadDeclaration(f"{where}: {place + ': ' if place else ''}{message}") from error


def load(file: Path) -> Declaration:
    """Read `destinations/<name>.yml`."""
    try:
        return read(yaml.safe_load(file.read_text(encoding="utf-8")), file.name)
    except yaml.YAMLError as error:
        raise BadDeclaration(f"{file.name}: not YAML ({' '.join(str(error).split())})") from error


def fitting(declaration: Declaration, sync: Sync, options: Mapping[str, Any]) -> None:
    """Refuse a sync whose options or mapping leave a placeholder without a value."""
    if wrong := sorted(set(declaration.options) ^ set(options)):
        raise BadDeclaration(
            f"{sync.name}: options.{wrong[0]}: {sync.destination} takes {_listed(declaration.options)}"
        )
    if [name for name, value in options.items() if not isinstance(value, str | int) or not str(value)]:
        raise BadDeclaration(f"{sync.name}: options are words or whole numbers")
    named = (found for operation in declaration.operations.all().values() for found in operation.named("fields"))
    for found in named:
        if len(found.path) > 1 and not found.is_optional and found.path[1] not in sync.names:
            field = found.path[1]
            raise BadDeclaration(f"{sync.name}: {sync.destination} needs a column mapped to {field}")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"

"""What tools that keep contacts share: one identifier finds a person, options are checked, secrets read when used.

A contact is found by exactly one identifier: were the others part of who somebody is, a new phone number would be a
removal and an addition. They are attributes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import BaseSettings

from reverse_etl.destination import (
    Change,
    DestinationRefused,
    Outcome,
    Receipt,
    Request,
    Response,
    Scalar,
    Spec,
    Transport,
)
from reverse_etl.normalise import Identified, Unusable, fields_of, normalise
from reverse_etl.normalise import Options as Spelling
from reverse_etl.normalise import read_options as read_spelling
from reverse_etl.sync import BadDeclaration, Sync


class ContactOptions(BaseModel):
    """`options` of a sync to such a tool; each tool adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    find_by: str = ""  # the identifier that finds a person; default: the first mapped of those the tool knows
    names: Mapping[str, str] = {}  # mapped name: the tool's name, where it differs
    normalise: Mapping[str, Any] | None = None  # read by reverse_etl.normalise
    timeout_seconds: float = 30


Declared = TypeVar("Declared", bound=BaseModel)
Secrets = TypeVar("Secrets", bound=BaseSettings)


def declared(sync: Sync, model: type[Declared]) -> Declared:
    """Read the options of a sync, or say in one line what is wrong with them."""
    try:
        return model.model_validate(sync.options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(("options", *map(str, first["loc"])))
        raise BadDeclaration(f"{sync.name}: {where}: {first['msg'].removeprefix('Value error, ')}") from error


def secrets(sync: Sync, settings: type[Secrets]) -> Secrets:
    """Read the secrets of a vendor from the environment, or name those that are missing."""
    try:
        return settings()
    except ValidationError as error:
        prefix = str(settings.model_config.get("env_prefix", ""))
        wrong = ", ".join(f"{prefix}{part['loc'][0]}".upper() for part in error.errors() if part["loc"])
        raise DestinationRefused(f"{sync.name}: set {wrong}") from error


def only_events(sync: Sync) -> None:
    """Refuse a sync whose removals would have to unsend messages."""
    if sync.mode != "append_events":
        raise BadDeclaration(f"{sync.name}: mode: a message can't be taken back, {sync.destination} is append_events")


@dataclass(frozen=True, slots=True)
class Contacts:
    """How a sync's rows are contacts of a platform."""

    platform: str
    found_by: str
    names: Mapping[str, str]
    spelling: Spelling

    @classmethod
    def of(
        cls, sync: Sync, platform: str, options: ContactOptions, ways: Sequence[str], names: Mapping[str, str]
    ) -> "Contacts":
        """`ways`: the identifiers the platform finds people by, best first; `names`: its own names of known fields."""
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

    def key(self, row: Change) -> str:
        """Give what finds this person."""
        return str(row.identifiers[self.found_by])

    def attributes(self, row: Change) -> dict[str, Scalar]:
        """Everything mapped but the identifier, under the platform's names; what it can't take is left out.

        None stays: it says that there is no such value any more.
        """
        kept: dict[str, Scalar] = {}
        for name, value in {**row.fields, **dict.fromkeys(row.cleared)}.items():
            if name == self.found_by:
                continue
            try:
                kept[self.names.get(name, name)] = None if value is None else self._written(name, value, row.fields)
            except Unusable:
                continue  # one bad phone number must not refuse the batch, nor the person
        return kept

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


def read(response: Response) -> Any:
    """Read an answer that may be anything; None when it is no JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def answers(response: Response) -> tuple[Response, ...]:
    """Every answer to these rows, oldest first."""
    return (*response.earlier, response)


def question(path: str, query: Mapping[str, str]) -> Request:
    """Ask for something by what may be personal: kept out of the path, which ends up in logs, until it is sent."""
    return Request(path, urlencode(query).encode(), method="GET")


def asking(send: Transport) -> Transport:
    """Send the body of a GET as its query."""

    def sent(request: Request) -> Response:
        if request.method != "GET" or not request.body:
            return send(request)
        return send(replace(request, path=f"{request.path}?{request.body.decode()}", body=b""))

    return sent

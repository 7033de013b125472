"""A message is a file: its texts, and every field that stands in them, with what is said when there is none.

Texts have no logic: `{field}` is the value, `{{` and `}}` are braces. In `html` values are escaped.
"""

import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reverse_etl.messages.value import Flawed, Kind, fit, leftover
from reverse_etl.sync import BadDeclaration, Name
from reverse_etl.template import BadTemplate, Placeholder, parsed
from reverse_etl.warehouse import IDENTIFIER

MESSAGES = Path(__file__).parent
SOURCE = r"^(profile|traits|offer|product|event|row)\.[a-z_][a-z0-9_]{0,62}$"


class MessageField(BaseModel):
    """Where the value is from, what it must be, and what is said instead; without fallback nothing is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: str = Field(alias="from", pattern=SOURCE)
    kind: Kind = Field(default="text", alias="as")
    fallback: str | None = Field(default=None, min_length=1)


class Message(BaseModel):
    """One `messages/<name>.yml`, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    description: str
    fields: dict[Name, MessageField] = Field(default_factory=dict)
    subject: str | None = None
    text: str
    html: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        given = {"subject": self.subject, "text": self.text, "html": self.html}
        return {name: part for name, part in given.items() if part is not None}

    @property
    def sources(self) -> set[str]:
        return {field.source.split(".")[0] for field in self.fields.values()}

    @model_validator(mode="after")
    def _fields_and_texts_agree(self) -> Self:
        named: set[str] = set()
        for part, text in self.parts.items():
            for piece in _pieces(part, text):
                if isinstance(piece, Placeholder):
                    named.add(_name_of(part, piece))
                elif leftover(piece) or re.search(r"\[[A-Za-z][\w .-]*\](?!\()", piece):
                    raise ValueError(f"{part}: a placeholder of another system stands in it: write {{field}}")
            if part == "subject" and "\n" in text.strip():
                raise ValueError("subject: one line")
        if stray := sorted(named - set(self.fields)):
            raise ValueError(f"fields: {stray[0]} is used, but not declared")
        if unused := sorted(set(self.fields) - named):
            raise ValueError(f"fields.{unused[0]}: not used in any text; data that isn't needed isn't read")
        for name, field in self.fields.items():
            if field.fallback is not None and leftover(field.fallback):
                raise ValueError(f"fields.{name}.fallback: a placeholder is no fallback")
        return self


def _pieces(part: str, text: str) -> tuple[str | Placeholder, ...]:
    try:
        return parsed(text)
    except BadTemplate as error:
        raise ValueError(f"{part}: {error}") from error


def _name_of(part: str, placeholder: Placeholder) -> str:
    if len(placeholder.path) > 1 or placeholder.transforms or placeholder.is_optional:
        raise ValueError(f"{part}: {'.'.join(placeholder.path)}: a field is one name; say in fields what it is")
    return placeholder.path[0]


class Scrapped(ValueError):
    """The message must not leave: a field without value and fallback, or something unfilled in the result."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{reason}_{field}")
        self.field, self.reason = field, reason


class Rendered(BaseModel):
    """The texts, and for which fields the fallback was used, with the reason."""

    parts: dict[str, str]
    fallbacks: dict[str, str]


def render(message: Message, values: dict[str, Any]) -> Rendered:
    """Fill in the texts from values by field; raises Scrapped."""
    filled, fallbacks = {}, {}
    for name, field in message.fields.items():
        try:
            filled[name] = fit(values.get(name), field.kind)
        except Flawed as flaw:
            if field.fallback is None:
                raise Scrapped(name, str(flaw)) from None
            filled[name], fallbacks[name] = field.fallback, str(flaw)
    parts = {part: _filled(part, text, filled) for part, text in message.parts.items()}
    for part, text in parts.items():
        if leftover(text):
            raise Scrapped(part, "unrendered")  # two halves of a placeholder can come from two fields
    return Rendered(parts=parts, fallbacks=fallbacks)


def _filled(part: str, text: str, values: dict[str, str]) -> str:
    written = {name: escape(value) for name, value in values.items()} if part == "html" else values
    pieces = (piece if isinstance(piece, str) else written[piece.path[0]] for piece in parsed(text))
    return "".join(pieces).strip()


@lru_cache(maxsize=256)
def _loaded(file: Path, _changed_at: int) -> Message:
    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Message.model_validate({**(declared or {}), "name": file.stem})
    except yaml.YAMLError as error:
        raise BadDeclaration(f"{file.name}: not YAML ({' '.join(str(error).split())})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        words = " ".join(first["msg"].split()).removeprefix("Value error, ")
        raise BadDeclaration(f"{file.name}: {where + ': ' if where else ''}{words}") from error


def find_message(name: str, folder: Path | None = None) -> Message:
    """Find the message of that name."""
    folder = folder or MESSAGES
    file = folder / f"{name}.yml"
    if not IDENTIFIER.fullmatch(name) or not file.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yml"))) or "none yet"
        raise BadDeclaration(f"no message {name!r} in {folder.name}/: there are {known}")
    return _loaded(file, file.stat().st_mtime_ns)

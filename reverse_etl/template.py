"""JSON with placeholders: `{fields.city}` is the value itself, `Hello {fields.name}` is text. No code, no expressions.

A placeholder is a path and, after colons, what is done to the value: `{identifiers.email:lower:sha256}`. One that
ends in `?` leaves its key or item out when there is no value. `{"each": …}` is a list with an item for each row.
`{{` and `}}` are braces.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

EACH = "each"
TOKEN = re.compile(r"(\{\{|\}\}|\{[^{}]*\}|[{}])")
PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")
HASHES = {"md5", "sha256", "sha512"}


class BadTemplate(ValueError):
    """A template that can't be filled; the message says which."""


class _Missing:
    """There is no value, and its place goes too."""


MISSING = _Missing()


def _hash(name: str) -> Callable[[Any], str]:
    return lambda value: hashlib.new(name, str(value).encode(), usedforsecurity=False).hexdigest()


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_number(value: Any) -> Any:
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        return value
    number = float(value) if re.search(r"[.eE]", value) else int(value)
    return number if math.isfinite(number) else value


def _as_integer(value: Any) -> Any:
    number = _as_number(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else value
    return number


# What can't be converted stays as it is: the destination then says which row is wrong.
TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "text": _as_text,
    "number": _as_number,
    "integer": _as_integer,
    "boolean": lambda value: {"true": True, "false": False}.get(_as_text(value).lower(), value),
    "lower": lambda value: str(value).lower(),
    **{name: _hash(name) for name in sorted(HASHES)},
}


@dataclass(frozen=True, slots=True)
class Placeholder:
    path: tuple[str, ...]
    transforms: tuple[str, ...] = ()
    is_optional: bool = False

    @property
    def is_hashed(self) -> bool:
        return bool(HASHES & set(self.transforms))

    def value(self, scope: Mapping[str, Any]) -> Any:
        found: Any = scope
        for name in self.path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is None:
            return MISSING if self.is_optional else None
        for name in self.transforms:
            found = TRANSFORMS[name](found)
        return found


@lru_cache(maxsize=4_096)
def parsed(text: str) -> tuple[str | Placeholder, ...]:
    """Part a text into itself and its placeholders."""
    parts: list[str | Placeholder] = []
    for token in TOKEN.split(text):
        if token in {"{{", "}}"}:
            parts.append(token[0])
        elif token in {"{", "}"}:
            raise BadTemplate(f"{text!r}: a brace is open; write {{{{ for a brace")
        elif token.startswith("{"):
            parts.append(_placeholder(token, text))
        elif token:
            parts.append(token)
    return tuple(parts)


def _placeholder(token: str, text: str) -> Placeholder:
    inner = token[1:-1]
    is_optional = inner.endswith("?")
    path, *transforms = inner.removesuffix("?").split(":")
    if not PATH.fullmatch(path):
        raise BadTemplate(f"{text!r}: {path!r} is no name like fields.city; there are no expressions")
    if unknown := [name for name in transforms if name not in TRANSFORMS]:
        raise BadTemplate(f"{text!r}: {unknown[0]!r} is none of {', '.join(TRANSFORMS)}")
    return Placeholder(tuple(path.split(".")), tuple(transforms), is_optional)


def placeholders(template: Any) -> Iterator[tuple[Placeholder, bool]]:
    """List every placeholder, and whether it stands in an `each`."""
    if isinstance(template, str):
        yield from ((part, False) for part in parsed(template) if isinstance(part, Placeholder))
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from ((found, inside or is_each(template)) for found, inside in placeholders(value))
            if not isinstance(key, str):
                raise BadTemplate(f"{key!r}: a key is text")
    elif isinstance(template, list):
        for value in template:
            yield from placeholders(value)


def is_each(template: Any) -> bool:
    return isinstance(template, Mapping) and set(template) == {EACH}


def has_each(template: Any) -> bool:
    """Whether the template takes more than one row."""
    if is_each(template):
        return True
    values = template.values() if isinstance(template, Mapping) else template if isinstance(template, list) else ()
    return any(map(has_each, values))


def render(template: Any, scope: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()) -> Any:
    """Fill a template from `scope`, and what is in an `each` from each row's; MISSING when nothing is left."""
    if isinstance(template, str):
        return _filled(parsed(template), scope)
    if is_each(template):
        return _present(render(template[EACH], row) for row in rows)
    if isinstance(template, Mapping):
        filled = {key: render(value, scope, rows) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not MISSING}
    if isinstance(template, list):
        return _present(render(value, scope, rows) for value in template)
    return template


def render_path(template: str, scope: Mapping[str, Any]) -> str:
    """Fill a path: a value is one segment, whatever it contains."""
    values = (
        part if isinstance(part, str) else quote(_as_text(part.value(scope)), safe="") for part in parsed(template)
    )
    return "".join(values)


def encoded(kind: str, body: Any) -> bytes:
    """Write what was filled as json, as a form, or as lines of JSON; nothing for nothing."""
    if body is None:
        return b""
    if kind == "form":
        return urlencode({key: _as_text(value) for key, value in body.items() if value is not None}).encode()
    if kind == "lines":
        return "".join(f"{json.dumps(item)}\n" for item in body).encode()
    return json.dumps(body).encode()


def _present(values: Iterator[Any]) -> list[Any]:
    return [value for value in values if value is not MISSING]


def _filled(parts: tuple[str | Placeholder, ...], scope: Mapping[str, Any]) -> Any:
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        return parts[0].value(scope)
    values = [part if isinstance(part, str) else part.value(scope) for part in parts]
    if MISSING in values:
        return MISSING
    return "".join("" if value is None else _as_text(value) for value in values)

"""What a source is: its tables, their columns, who owns it and how often it is read.

A connector declares these values and nothing else. Reading, typing and loading are the same for all.
"""

import importlib
import pkgutil
import re
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType

from sources import connectors
from sources.refusals import BadDeclaration

NAME = re.compile(r"[a-z][a-z0-9_]*")


class Type(StrEnum):
    """What a column holds in raw; text is the default because it can't be wrong."""

    TEXT = "text"
    JSON = "json"  # nested values, kept as JSON text
    INTEGER = "bigint"
    MONEY = "decimal"  # 18 digits, 2 of them decimals
    FLAG = "bool"
    DAY = "date"
    MOMENT = "timestamp"  # UTC, without zone


class Content(StrEnum):
    """What SQL can't normalise alike on every warehouse, so loading does."""

    PLAIN = "plain"
    TIDY = "tidy"  # names and e-mail addresses: NFC, no zero-width or control characters
    PHONE = "phone"  # also kept as E.164 in `<column>_e164`


@dataclass(frozen=True)
class Column:
    """One declared column, named as it arrives once in snake case. `pii` is a fideslang data category."""

    name: str
    type: Type = Type.TEXT
    pii: str | None = None
    content: Content = Content.PLAIN

    @property
    def is_typed(self) -> bool:
        return self.type not in (Type.TEXT, Type.JSON)


@dataclass(frozen=True)
class Table:
    """One table of a source. `key` is the natural key: what makes a row the same row again."""

    name: str
    key: tuple[str, ...]
    description: str
    columns: tuple[Column, ...]

    @property
    def typed(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_typed)

    @property
    def phones(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.content is Content.PHONE)

    @property
    def personal(self) -> dict[str, str]:
        """Column name -> data category, for the personal columns only."""
        named = {column.name: column.pii for column in self.columns if column.pii}
        return {**named, **{f"{phone}_e164": named[phone] for phone in self.phones if phone in named}}


@dataclass(frozen=True)
class Source:
    """One system outside. `refresh` is a cron line in UTC: the only place where time enters."""

    description: str
    owner: str
    refresh: str
    tables: tuple[Table, ...]
    name: str = ""  # given by the file name

    def table(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        known = ", ".join(table.name for table in self.tables)
        raise BadDeclaration(f"source {self.name} has no table {name!r}; it has: {known}")

    def raw_name(self, table: Table) -> str:
        return f"{self.name}__{table.name}"


def text(name: str, pii: str | None = None) -> Column:
    return Column(name, Type.TEXT, pii)


def nested(name: str, pii: str | None = None) -> Column:
    return Column(name, Type.JSON, pii)


def integer(name: str) -> Column:
    return Column(name, Type.INTEGER)


def money(name: str) -> Column:
    return Column(name, Type.MONEY)


def flag(name: str) -> Column:
    return Column(name, Type.FLAG)


def day(name: str) -> Column:
    return Column(name, Type.DAY)


def moment(name: str) -> Column:
    return Column(name, Type.MOMENT)


def email(name: str) -> Column:
    return Column(name, Type.TEXT, "user.contact.email", Content.TIDY)


def person_name(name: str) -> Column:
    return Column(name, Type.TEXT, "user.name", Content.TIDY)


def phone(name: str) -> Column:
    return Column(name, Type.TEXT, "user.contact.phone_number", Content.PHONE)


def all_sources() -> tuple[Source, ...]:
    """Every source of the folder `connectors/`, sorted by name; the file name is the name."""
    names = sorted(module.name for module in pkgutil.iter_modules(connectors.__path__))
    return tuple(load_source(name) for name in names)


def load_source(name: str) -> Source:
    """Return the source declared in `connectors/<name>.py`. Raises BadDeclaration, saying what to change."""
    known = sorted(module.name for module in pkgutil.iter_modules(connectors.__path__))
    if name not in known:
        raise BadDeclaration(f"no source is called {name!r}: sources/connectors/ has {', '.join(known)}")
    return declared(importlib.import_module(f"{connectors.__name__}.{name}"), name)


def declared(module: ModuleType, name: str) -> Source:
    """Return the module's `SOURCE`, named and checked."""
    source = getattr(module, "SOURCE", None)
    if not isinstance(source, Source):
        raise BadDeclaration(f"sources/connectors/{name}.py: define SOURCE = Source(...)")
    for table in source.tables:
        check(table, f"sources/connectors/{name}.py, table {table.name}")
    return Source(source.description, source.owner, source.refresh, source.tables, name)


def check(table: Table, where: str) -> None:
    """Refuse a table whose names can't be SQL names, or whose key isn't among its columns."""
    names = [column.name for column in table.columns]
    if bad := [name for name in [table.name, *names] if not NAME.fullmatch(name)]:
        raise BadDeclaration(f"{where}: write names in snake case: {', '.join(bad)}")
    if repeated := {name for name in names if names.count(name) > 1}:
        raise BadDeclaration(f"{where}: declared twice: {', '.join(sorted(repeated))}")
    if missing := [name for name in table.key if name not in names]:
        raise BadDeclaration(f"{where}: the key names undeclared columns: {', '.join(missing)}")

"""The dbt project's macros without dbt: training and scoring must compare by the same words.

Only what needs no warehouse: macros that write text or return values, `adapter.dispatch` and type names.
A dbt command would take seconds for each of these, and Splink needs the conditions one by one.
"""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, StrictUndefined

FOLDER = Path(__file__).parents[2] / "dbt_project" / "macros"
MACRO = re.compile(r"({%-? *macro +(\w+).*?endmacro *-?%})", re.DOTALL)
FOLDERS = ("portable", "normalise", "matching")
TYPES = {"type_string": "text", "type_bigint": "bigint"}
SPARK_TYPES = {**TYPES, "type_string": "string"}


class _Returned(Exception):
    """As in dbt, `return` ends a macro by raising."""

    def __init__(self, value: Any) -> None:
        self.value = value


def project_macros(
    dialect: str = "duckdb", folders: tuple[str, ...] = FOLDERS, **given: Callable[..., Any]
) -> SimpleNamespace:
    """Every macro of those folders as a function, as the adapter `dialect` would find it.

    `given` are macros that need a warehouse, as the caller does them.
    """
    macros: dict[str, Callable[..., Any]] = {}
    environment = Environment(  # noqa: S701 - writes SQL, not HTML
        extensions=["jinja2.ext.do"], undefined=StrictUndefined, cache_size=0
    )
    types = SPARK_TYPES if dialect == "spark" else TYPES
    environment.globals.update(
        adapter=SimpleNamespace(
            dispatch=lambda name, _: macros.get(f"{dialect}__{name}") or macros[f"default__{name}"]
        ),
        dbt=SimpleNamespace(**{name: (lambda word=word: word) for name, word in types.items()}),
        **{"return": _give},
    )
    texts = [file.read_text(encoding="utf-8") for folder in folders for file in sorted((FOLDER / folder).glob("*.sql"))]
    sources = {name: source for text in texts for source, name in MACRO.findall(text)}
    environment.globals.update({name: _found_later(macros, name) for name in sources})
    for name, source in sources.items():
        macros[name] = _callable(getattr(environment.from_string(source).module, name))
    macros.update(given)
    return SimpleNamespace(**macros)


def _found_later(macros: dict[str, Callable[..., Any]], name: str) -> Callable[..., Any]:
    """Each macro is compiled alone and finds the others here, also those of its file: only then does `return` work."""

    def call(*arguments: Any, **options: Any) -> Any:
        return macros[name](*arguments, **options)

    return call


def _give(value: Any) -> None:
    raise _Returned(value)


def _callable(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return str(macro(*arguments, **options))
        except _Returned as returned:
            return returned.value

    return call

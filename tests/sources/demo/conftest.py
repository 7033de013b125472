"""One small demo for all tests of this folder, and a way to query its files."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from sources.demo.build import Demo, build

LAST_DAY = date(2026, 3, 10)
HOUSEHOLDS = 120

Query = Callable[[str], list[tuple]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def demo(folder: Path) -> Demo:
    return build(folder / "inbox", folder / "truth", households=HOUSEHOLDS, last_day=LAST_DAY)


@pytest.fixture(scope="session")
def query(demo: Demo, folder: Path) -> Iterator[Query]:
    """Run SQL over views `<connector>__<table>` of the inbox, and `people`, `identifiers`, `records`."""
    with duckdb.connect() as connection:
        for entity in (folder / "inbox").glob("*/*"):
            read = "read_csv" if next(entity.iterdir()).suffix == ".csv" else "read_json"
            files = f"{read}('{entity.as_posix()}/*', union_by_name = true)"
            connection.execute(f"create view {entity.parent.name}__{entity.name} as from {files}")
        for name in ("people", "identifiers", "records"):
            read = f"read_csv('{(folder / 'truth' / name).as_posix()}.csv', all_varchar = true)"
            connection.execute(f"create view {name} as from {read}")
        yield lambda sql: connection.execute(sql).fetchall()

"""A warehouse that was built once without any row, copied for each test, and the log beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_world import BUILT, Live, build, make_raw, open_warehouse, place

from dagster_cdp.live.cycle import prepare_books
from dagster_cdp.live.loop import Loop
from dagster_cdp.live.plan import make_plan
from sources.configuration import read_configuration
from sources.log.writer import Writer
from sources.source import all_sources
from sources.tail import Tail


@pytest.fixture(scope="session")
def built_home(made_once: Callable[..., tuple[Path, None]]) -> Path:
    """Raw without rows, and everything built on it."""
    return made_once("built", build_on_nothing)[0]


def build_on_nothing(home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        place(home, patch)
        connection = open_warehouse(home / "warehouse.duckdb")
        make_raw(connection)
        connection.close()
        build(*BUILT)


@pytest.fixture
def home(built_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    shutil.copytree(built_home, home)
    place(home, monkeypatch)
    return home


@pytest.fixture
def live(home: Path) -> Iterator[Live]:
    connection = open_warehouse(home / "warehouse.duckdb")
    tail = Tail(read_configuration(), all_sources())
    tail.open(connection)
    prepare_books(connection)
    writer = Writer(Path(read_configuration().log))
    yield Live(Loop(tail, connection, make_plan), writer, connection)
    writer.close()
    connection.close()

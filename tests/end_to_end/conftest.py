"""One small demo line for the whole folder; each test changes a copy of it."""

import os
import shutil
from pathlib import Path

import pytest

HOUSEHOLDS = 150


def point_at(home: Path) -> dict[str, str]:
    return {
        "CDP_HOME": str(home),
        "CDP_WAREHOUSE": str(home / "warehouse.duckdb"),
        "CDP_INBOX": str(home / "inbox"),
        "DAGSTER_HOME": str(home / "dagster"),
        "CDP_TARGET": "duckdb",
    }


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """A small demo, built and run once: (its home, its report)."""
    from dagster_cdp.inbox import build_demo
    from dagster_cdp.line import run_line

    home = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in point_at(home).items():
            environment.setenv(name, value)
        build_demo(households=HOUSEHOLDS)
        report = run_line()
    assert report.failures == []
    return home, report


class Line:
    """A copy of the demo line to do things to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.inbox = home / "inbox"

    def run(self, selection=None):
        from dagster_cdp.line import run_line

        return run_line(selection)

    def ask(self, query, *parameters):
        from dagster_cdp.warehouse import connect

        with connect("test") as warehouse:
            return warehouse.execute(query, parameters)

    def drop(self, connector, table, name, content):
        """Put a file in the inbox, as a source system would."""
        file = self.inbox / connector / table / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def newest_file(self, connector, table):
        return max((self.inbox / connector / table).iterdir())


@pytest.fixture
def line(first_run, tmp_path, monkeypatch):
    home = tmp_path / "cdp"
    shutil.copytree(first_run[0], home, copy_function=shutil.copy2)
    for name, value in point_at(home).items():
        monkeypatch.setenv(name, value)
    return Line(home)


@pytest.fixture
def environment_of():
    def make(home: Path) -> dict[str, str]:
        return {**os.environ, **point_at(home)}

    return make

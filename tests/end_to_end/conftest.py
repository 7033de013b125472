"""One small demo line for the whole folder; each test changes a copy of it."""

import os
import shutil
from pathlib import Path

import pytest
from demo_line import HOUSEHOLDS, copied, point_at


@pytest.fixture(scope="session", autouse=True)
def one_engine_per_file():
    """Dagster makes an engine for each statement, which then knows no SQL: a fifth of a line's run."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log

    make, made = sqlite_event_log.create_engine, {}

    def find(url, **how):
        return made.get(url) or made.setdefault(url, make(url, **how))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_event_log, "create_engine", find)
        yield


@pytest.fixture(scope="session")
def first_run(made_once):
    """A small demo, built and run once: (its home, its report)."""
    return made_once("first", build_and_run)


def build_and_run(home):
    from dagster_cdp.inbox import build_demo
    from dagster_cdp.line import run_line

    with pytest.MonkeyPatch.context() as environment:
        for name, value in point_at(home).items():
            environment.setenv(name, value)
        build_demo(households=HOUSEHOLDS)
        report = run_line()
    assert report.failures == []
    return report


@pytest.fixture
def line(first_run, tmp_path_factory, monkeypatch):
    """A copy of the first run. It is always in one place, as dbt parses all anew for a warehouse that is elsewhere."""
    home = tmp_path_factory.getbasetemp() / "line" / "cdp"
    shutil.rmtree(home.parent, ignore_errors=True)
    return copied(first_run[0], home, monkeypatch)


@pytest.fixture
def environment_of():
    def make(home: Path) -> dict[str, str]:
        return {**os.environ, **point_at(home)}

    return make

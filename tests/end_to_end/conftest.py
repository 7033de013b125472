"""One small demo line for the whole folder; each test changes a copy of it."""

import os
import shutil
from pathlib import Path

import pytest
from demo_line import HOUSEHOLDS, Line, point_at


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

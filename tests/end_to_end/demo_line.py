"""A demo line in a folder of its own, and what tests do to it."""

import shutil
from pathlib import Path

HOUSEHOLDS = 120
NOW = "2026-03-02T09:00:00"  # no window ends between two runs of a test


def point_at(home: Path) -> dict[str, str]:
    return {
        "CDP_HOME": str(home),
        "CDP_WAREHOUSE": str(home / "warehouse.duckdb"),
        "CDP_INBOX": str(home / "inbox"),
        "DAGSTER_HOME": str(home / "dagster"),
        "CDP_TARGET": "duckdb",
        "CDP_NOW": NOW,
    }


def copied(first, home, environment):
    """The line at `first`, copied to `home`, to which the environment points from now on."""
    shutil.copytree(first, home, copy_function=shutil.copy2)
    for name, value in point_at(home).items():
        environment.setenv(name, value)
    return Line(home)


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

    def file(self, connector, table, size):
        """The `largest` file of a table (a month, or a day of the whole demo's size) or the `smallest`."""
        pick = {"largest": max, "smallest": min}[size]
        return pick((self.inbox / connector / table).iterdir(), key=lambda file: file.stat().st_size)

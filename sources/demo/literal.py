"""How a path is written in SQL."""

from pathlib import Path


def sql_path(path: Path) -> str:
    """Return the quoted path; an apostrophe in a folder's name stays part of the name."""
    return "'" + path.as_posix().replace("'", "''") + "'"

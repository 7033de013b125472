"""Errors whose words may quote a row: an engine puts the value that it refuses into its message."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Of DuckDB and psycopg2 alike, by name, as either may not be installed; what else they raise speaks of SQL alone.
QUOTING = frozenset({"DataError", "IntegrityError", "InvalidInputException"})
FRAMES = 5


def may_quote(error: BaseException | None) -> bool:
    """Whether the error, or one that it came from, is of a kind that quotes values."""
    while error is not None:
        if QUOTING.intersection(kind.__name__ for kind in type(error).__mro__):
            return True
        error = error.__cause__ or error.__context__
    return False


def without_words(error: BaseException) -> str:
    """Its kind and where it happened, the innermost line first."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {where}: its words may quote a row and are not shown"


@contextmanager
def withheld(instead: Callable[[str], Exception]) -> Iterator[None]:
    """Raise what `instead` makes of it where such an error would be kept or shown."""
    try:
        yield
    except Exception as error:
        if not may_quote(error):
            raise
        raise instead(without_words(error)) from None

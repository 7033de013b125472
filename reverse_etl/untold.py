"""Errors whose words may quote a row: an engine puts the value that it refuses into its message."""

import sys
import traceback

# Of DuckDB and psycopg2 alike, by name, as either may not be installed; what else they raise speaks of SQL alone.
QUOTING = frozenset({"DataError", "IntegrityError", "InvalidInputException"})


def may_quote(error: BaseException | None) -> bool:
    """Whether the error, or one that it came from, is of a kind that quotes values."""
    while error is not None:
        if QUOTING.intersection(kind.__name__ for kind in type(error).__mro__):
            return True
        error = error.__cause__ or error.__context__
    return False


def trace_without_words(error: BaseException) -> None:
    """Print where it happened and its kind."""
    traceback.print_tb(error.__traceback__)
    sys.stderr.write(f"{type(error).__name__}: its words may quote a row and are not shown\n")

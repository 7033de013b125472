"""Databases that audiences are written to: how to open one, and what its errors mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from reverse_etl.destination import DestinationRefused
from reverse_etl.warehouse import DuckDBWarehouse, PostgresWarehouse, Warehouse

CONNECT_SECONDS, STATEMENT_MILLISECONDS = 10, 300_000
WRONG_ROW, NO_PERMISSION, WRONG_TABLE, BUSY, LOST = 422, 403, 404, 503, 0


class Failed(RuntimeError):
    """A database did not do it; `status` is one of HTTP, or LOST when nobody knows. No value is quoted."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Engine:
    """An open database: its types, and what an error of it means."""

    warehouse: Warehouse
    types: Mapping[str, str]
    status: Callable[[Exception], int]


def open_engine(address: str) -> Engine:
    """Open postgresql://user:password@host/database or duckdb:///path; no error repeats the address."""
    scheme = urlsplit(address).scheme
    if scheme in {"postgresql", "postgres"}:
        return _postgres(address)
    if scheme == "duckdb":
        return _duckdb(Path(urlsplit(address).path))
    raise DestinationRefused("the address of a table's database must be postgresql://… or duckdb:///…")


def _duckdb(path: Path) -> Engine:
    is_new = not path.exists()
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException as error:
        raise Failed(LOST, f"{path} can't be opened: another process holds it, or its folder is missing") from error
    if is_new:
        path.chmod(0o600)

    def status(error: Exception) -> int:
        if isinstance(error, duckdb.DataError | duckdb.IntegrityError | duckdb.ConversionException):
            return WRONG_ROW
        if isinstance(error, duckdb.TransactionException):
            return BUSY
        return WRONG_TABLE if isinstance(error, duckdb.CatalogException | duckdb.BinderException) else LOST

    types = {"text": "varchar", "integer": "bigint", "number": "double", "boolean": "boolean"}
    return Engine(DuckDBWarehouse(connection), {**types, "date": "date", "timestamp": "timestamp"}, status)


def _postgres(address: str) -> Engine:
    try:
        import psycopg2  # noqa: PLC0415 — the extra `postgres`
        from psycopg2 import errors  # noqa: PLC0415
    except ImportError as error:
        raise DestinationRefused("PostgreSQL needs psycopg2: pip install -e '.[postgres]'") from error
    try:
        connection = psycopg2.connect(
            address,
            connect_timeout=CONNECT_SECONDS,
            application_name="cdp sync",
            options=f"-c statement_timeout={STATEMENT_MILLISECONDS}",
        )
    except psycopg2.Error as error:
        raise Failed(LOST, "PostgreSQL does not answer, or refuses the login") from error

    def status(error: Exception) -> int:
        if isinstance(error, psycopg2.DataError | psycopg2.IntegrityError | ValueError):
            return WRONG_ROW
        if isinstance(error, errors.InsufficientPrivilege):
            return NO_PERMISSION
        if isinstance(error, psycopg2.ProgrammingError):
            return WRONG_TABLE
        is_contention = isinstance(
            error, errors.SerializationFailure | errors.DeadlockDetected | errors.LockNotAvailable
        )
        return BUSY if is_contention else LOST

    types = {"text": "text", "integer": "bigint", "number": "numeric", "boolean": "boolean"}
    return Engine(PostgresWarehouse(connection), {**types, "date": "date", "timestamp": "timestamp"}, status)

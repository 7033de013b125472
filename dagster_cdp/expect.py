"""Great Expectations on our warehouse: the only place that imports it, and not before it is needed.

Every question is answered inside the warehouse, by counts. Nothing that leaves this file holds a
value of the data: results are asked for without values, and of an error only its kind is kept.
"""

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal, Self

import duckdb

from dagster_cdp.gates.batch import Batch, asked_at
from dagster_cdp.gates.suite import Expectation, Suite, all_suites
from dagster_cdp.gates.verdict import Finding
from dagster_cdp.warehouse import postgres_session
from sources.configuration import read_configuration

__all__ = ["Examiner", "Unanswerable", "all_suites", "great_expectations", "register_duckdb"]

# Great Expectations imports these for charts and distributions, which no gate asks for; loading
# them on first use instead saves 2.3 of 6.6 CPU seconds.
ONLY_FOR_CHARTS = frozenset({"altair", "scipy.stats"})

# The one result format that keeps counts and drops every value.
COUNTS_ONLY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}

# `mostly` speaks of many rows; of a few it says little. A batch breaks it when so many bad rows would
# come by chance less than once in a million times: 18 suites judged daily close falsely once in decades.
BY_CHANCE = 1e-6


class _Deferred(importlib.abc.MetaPathFinder):
    """Finds modules that load when an attribute of them is first used."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in ONLY_FOR_CHARTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def _quietly() -> Iterator[None]:
    """No warnings of the library and nothing of its log: both quote what the engine said."""
    logger, nowhere = logging.getLogger("great_expectations"), logging.NullHandler()
    logger.addHandler(nowhere)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate = True
        logger.removeHandler(nowhere)


@functools.cache
def great_expectations() -> Any:
    """Import the library once, without telemetry, progress bars and charts; 4 CPU seconds."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    deferred = _Deferred()
    sys.meta_path.insert(0, deferred)
    try:
        with _quietly():
            import great_expectations as library  # noqa: PLC0415 - see above
    finally:
        sys.meta_path.remove(deferred)
    return library


@functools.cache
def register_duckdb() -> None:
    """Add the datasource that Great Expectations lacks: it closes a connection before it reads the result.

    A DuckDB result lives on its connection, so ours stays open until the examiner closes.
    """
    great_expectations()
    from great_expectations.datasource.fluent import SQLDatasource  # noqa: PLC0415 - costly
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine  # noqa: PLC0415 - costly

    class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._held: list[Any] = []
            # Under this name the library writes REGEXP_MATCHES(), which DuckDB understands.
            self.dialect_module = SimpleNamespace(DremioDialect=True)

        @contextmanager
        def get_connection(self) -> Iterator[Any]:
            if not self._held:
                self._held.append(self.engine.connect())
            yield self._held[0]

    class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]  # its metaclass registers it by `type`
        type: Literal["duckdb"] = "duckdb"

        @property
        def execution_engine_type(self) -> Any:
            return DuckDBExecutionEngine


class Examiner:
    """Great Expectations on the configured warehouse, loaded when the first batch needs it.

    One context and one connection for all suites of a run. Close it: it holds the DuckDB file.
    """

    def __init__(self, file: str | None) -> None:
        """`file` is the DuckDB file that is open, or None for the configured server."""
        self._file = file
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with _quietly():
            self._open.close()

    def examine(self, suite: Suite, batch: Batch, now: datetime) -> list[Finding]:
        """Judge one batch. Raises `Unanswerable` when an expectation could not be evaluated."""
        library = great_expectations()
        with _quietly():
            asset = self._datasource.add_query_asset(f"{suite.table} {batch.batch_id}", query=batch.query)
            expectations = [_expectation(item, place, now) for place, item in enumerate(suite.expectations)]
            asked = library.ExpectationSuite(name=suite.table, expectations=expectations)
            answered = (
                asset.add_batch_definition_whole_table("all").get_batch().validate(asked, result_format=COUNTS_ONLY)
            )
        return [_finding(suite, result, batch.row_count) for result in answered.results]

    @functools.cached_property
    def _datasource(self) -> Any:
        library = great_expectations()
        context = library.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        if self._file is None:
            return context.data_sources.add_sql(
                name="warehouse",
                connection_string="postgresql+psycopg2://",
                kwargs={"creator": self._postgres_connection},
            )
        register_duckdb()
        return context.data_sources.add_duckdb(
            name="warehouse",
            connection_string="duckdb:///warehouse",
            kwargs={"creator": self._duckdb_connection, "poolclass": _one_connection()},
        )

    def _duckdb_connection(self) -> Any:
        from duckdb_sqlalchemy import ConnectionWrapper  # noqa: PLC0415 - imports SQLAlchemy

        connection = duckdb.connect(Path(str(self._file)))
        self._open.callback(connection.close)
        return ConnectionWrapper(connection)

    def _postgres_connection(self) -> Any:
        session = postgres_session(read_configuration())
        self._open.callback(session.close)
        return session


class Unanswerable(RuntimeError):
    """An expectation could not be evaluated; the message names it and the kind of error."""


def _one_connection() -> Any:
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415 - imports SQLAlchemy

    return StaticPool


def _expectation(item: Expectation, place: int, now: datetime) -> Any:
    arguments = item.bounds_at(now)
    if question := arguments.get("unexpected_rows_query"):
        arguments["unexpected_rows_query"] = _as_asked(question, now)
    expectation = getattr(great_expectations().expectations, item.expect)
    return expectation(**arguments, meta={"place": place})


def _as_asked(question: str, now: datetime) -> str:
    """Bind the batch to the name `batch`.

    With a join the library leaves naming a batch to us; without one it adds a name of its own.
    """
    text = asked_at(question, now).replace("{", "{{").replace("}", "}}")
    bound = "select rows_of.* from {batch} as rows_of cross join (select 1 as one) as one"
    return f"with batch as ({bound}) {text}"


def _finding(suite: Suite, result: Any, row_count: int) -> Finding:
    item = suite.expectations[result.expectation_config.meta["place"]]
    if error := _error_kind(result.exception_info):
        raise Unanswerable(f"{item.expect} on {item.subject()}: {error}")
    counts = result.result
    of = int(counts.get("element_count", row_count))
    # of no rows the library counts nothing rather than zero
    unexpected = int(counts.get("unexpected_count", counts.get("observed_value"))) if of or row_count else 0
    is_luck = item.mostly is not None and chance(unexpected, of, 1 - item.mostly) >= BY_CHANCE
    is_met = bool(result.success) or is_luck
    return Finding(item.expect, item.subject(), item.severity, is_met, unexpected, of)


def chance(bad: int, of: int, rate: float) -> float:
    """Bound the probability of at least `bad` among `of` rows when each is bad at `rate` (0 < rate < 1).

    Chernoff's bound, exp(-n KL(bad/n || rate)), Hoeffding 1963 (2.1); exact when every row is bad.
    """
    share = bad / of if of else 0.0
    if share <= rate:
        return 1.0
    good = (1 - share) * math.log((1 - share) / (1 - rate)) if bad < of else 0.0
    return math.exp(-of * (share * math.log(share / rate) + good))


def _error_kind(information: dict[str, Any]) -> str | None:
    """Name the error of a result that is one; its text would quote the data."""
    details = [information, *(value for value in information.values() if isinstance(value, dict))]
    raised = [detail for detail in details if detail.get("raised_exception")]
    if not raised:
        return None
    # The first error of the trace is the cause; the last is the library's own.
    cause = re.search(r"^(?:\w+\.)*(\w+(?:Error|Exception))\b", str(raised[0].get("exception_traceback")), re.MULTILINE)
    return cause[1] if cause else "an unnamed error"

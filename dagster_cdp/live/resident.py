"""dbt kept ready in this process: its own macros, rendered on the owner's connection, inside the owner's transaction.

This is the only file that knows dbt's insides. Ordinary incremental models are rendered once, by dbt's own strategy
macros; a materialisation that looks at its own results (`resolution`) is run by dbt's Jinja in every cycle.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_cdp import dbt

NAMED = "hot"
TRANSACTION = frozenset({"begin", "commit", "rollback"})


_HERE = threading.local()  # .adapter: whose macros this thread renders


class NotCompiled(RuntimeError):
    """dbt could not compile the hot models; the message names what failed, without values."""


class _OurCursor:
    """The owner's connection as dbt sees it. The transaction is the owner's: dbt's own begin and commit do nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, bindings: Any = None) -> Any:
        words = sql.strip(" ;\n").lower().split()
        if words and words[0] in TRANSACTION:
            return self
        return self._connection.execute(sql) if bindings is None else self._connection.execute(sql, bindings)

    def close(self) -> None:
        """Stay open: the connection is the owner's."""


class _OurHandle:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursor = _OurCursor(connection)

    def cursor(self) -> _OurCursor:
        return self._cursor

    def close(self) -> None:
        """Stay open, as above."""

    def rollback(self) -> None:
        """Leave it to the owner."""


@dataclass(frozen=True)
class Incremental:
    """A model that dbt has rendered: statements to run as they are."""

    name: str
    statements: Sequence[str]


class Resident:
    """dbt's adapter and contexts, kept from one compilation to the next."""

    def __init__(self, adapter: Any, connection: duckdb.DuckDBPyConnection) -> None:
        self._adapter = adapter
        self._manifest = adapter.get_macro_resolver()
        self._contexts: dict[str, Any] = {}
        self._connection = self._adapted(connection)

    def _adapted(self, connection: duckdb.DuckDBPyConnection) -> Any:
        from dbt.adapters.contracts.connection import Connection, ConnectionState  # noqa: PLC0415 - 3 s to import

        return Connection(
            type="duckdb",
            name=NAMED,
            state=ConnectionState.OPEN,
            transaction_open=True,
            handle=_OurHandle(connection),
            credentials=self._adapter.config.credentials,
        )

    def here(self) -> None:
        """Make dbt use the owner's connection in this thread."""
        connections = self._adapter.connections
        with connections.lock:
            connections.thread_connections[connections.get_thread_identifier()] = self._connection
        self._connection.transaction_open = True
        _HERE.adapter = self._adapter

    def prepare(self, node: Any) -> None:
        """Make dbt's context of a model, once."""
        from dbt.context.providers import generate_runtime_model_context  # noqa: PLC0415 - as above

        self._contexts[node.unique_id] = generate_runtime_model_context(node, self._adapter.config, self._manifest)

    def incremental(self, node: Any) -> Incremental:
        """Render what dbt's incremental materialisation would run on a table that is there."""
        context = self._contexts[node.unique_id]
        target = context["this"].incorporate(type="table")
        scratch = context["make_temp_relation"](target).incorporate(path={"database": None, "schema": None})
        strategy = node.config.incremental_strategy or "default"
        write = self._adapter.get_incremental_strategy_macro(context, strategy)
        written = write(
            {
                "target_relation": target,
                "temp_relation": scratch,
                "unique_key": node.config.unique_key,
                "dest_columns": self._adapter.get_columns_in_relation(target),
                "incremental_predicates": None,
            }
        )
        make = f"create or replace temporary table {scratch} as (\n{node.compiled_code}\n)"
        return Incremental(node.name, (make, str(written), f"drop table {scratch}"))

    def materialise(self, unique_id: str) -> None:
        """Run the model's own materialisation, as dbt would, in the owner's transaction."""
        from dbt.clients.jinja import MacroGenerator  # noqa: PLC0415 - as above
        from dbt_common.exceptions import DbtRuntimeError  # noqa: PLC0415 - as above

        context = self._contexts[unique_id]
        node = self._manifest.nodes[unique_id]
        macro = self._manifest.find_materialization_macro_by_name(
            self._adapter.config.project_name, node.get_materialization(), self._adapter.type()
        )
        self.here()
        try:
            MacroGenerator(macro, context, stack=context["context_macro_stack"])()
        except DbtRuntimeError as fault:
            if isinstance(fault.__cause__, duckdb.Error):  # as of a model that is run without dbt
                raise fault.__cause__ from None
            raise


def compile_hot(models: Sequence[str], connection: duckdb.DuckDBPyConnection) -> tuple[Resident, Mapping[str, Any]]:
    """Let dbt compile these models (unique ids) against the warehouse, and keep its adapter and contexts."""
    from dbt.adapters.factory import FACTORY  # noqa: PLC0415 - as above

    names = [unique_id.rsplit(".", 1)[-1] for unique_id in models]
    _HERE.adapter = None
    outcome = dbt.invoke(
        ["compile", "--select", *names, *dbt.places(dbt.target_path() / NAMED), "--no-write-json"],
        manifest=dbt.parsed(),
    )
    if not outcome.success:
        failed = [result.node.name for result in getattr(outcome.result, "results", []) if result.status == "error"]
        raise NotCompiled(
            f"dbt could not compile {', '.join(failed) or 'the hot models'}; try `dbt compile -s tag:hot`"
        )
    nodes = {result.node.unique_id: result.node for result in outcome.result.results}
    # dbt forgets the adapters it knows when it runs next; this one stays ours.
    resident = Resident(FACTORY.adapters.pop("duckdb"), connection)
    _let_threads_have_adapters()
    resident.here()
    for unique_id in models:
        resident.prepare(nodes[unique_id])
    return resident, nodes


def _let_threads_have_adapters() -> None:
    """Of dbt there is one adapter per process; a build in another thread must not be given ours, nor we its."""
    from dbt.context import providers  # noqa: PLC0415 - as above

    one_per_process = providers.get_adapter
    if getattr(one_per_process, "is_ours", False):
        return

    def get_adapter(config: Any) -> Any:
        return getattr(_HERE, "adapter", None) or one_per_process(config)

    get_adapter.is_ours = True  # type: ignore[attr-defined]
    providers.get_adapter = get_adapter

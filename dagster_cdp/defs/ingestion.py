"""outside → raw: one step per source, one asset per table, at the hours the connector declares."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from dagster_cdp.inbox import ensure_inbox
from dagster_cdp.progress import say
from dagster_cdp.warehouse import turn
from sources.source import Source, Table, all_sources


def table_spec(source: Source, table: Table) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(column.name, column.type.value, tags={"pii": column.pii} if column.pii else {})
        for column in table.columns
    ]
    return dg.AssetSpec(
        key=["raw", source.raw_name(table)],
        group_name="raw",
        description=f"{table.description}\n\nNatural key: {', '.join(table.key)}.",
        owners=[source.owner],
        kinds={"dlt"},
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
        automation_condition=dg.AutomationCondition.on_cron(source.refresh),
    )


def load_asset(source: Source) -> dg.AssetsDefinition:
    """Load what is new of one source; a table without news keeps its data version, so nothing below runs."""
    decorate: Callable[..., dg.AssetsDefinition] = dg.multi_asset(
        name=f"load_{source.name}",
        description=source.description,
        specs=[table_spec(source, table) for table in source.tables],
        pool="warehouse",
    )

    def load_new() -> Iterator[dg.MaterializeResult[Any]]:
        from sources.pipeline import load  # noqa: PLC0415 - dlt takes 1.5 s to import

        say("raw", source.name)
        ensure_inbox()
        with turn(f"load {source.name}"):
            report = load(source)
        for table in source.tables:
            yield table_result(source, table, report)

    return decorate(load_new)


@dg.definitions
def ingestion() -> dg.Definitions:
    return dg.Definitions(assets=[load_asset(source) for source in all_sources()])

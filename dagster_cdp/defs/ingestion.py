"""outside → raw: one step per source, one asset per table, at the hours the connector declares."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from dagster_cdp.inbox import ensure_inbox
from dagster_cdp.progress import say
from dagster_cdp.warehouse import ask_owner, connect, is_owned, turn
from sources.configuration import read_configuration
from sources.pipeline import LoadReport, load
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
    )

    def load_new() -> Iterator[dg.MaterializeResult[Any]]:
        say("raw", source.name)
        ensure_inbox()
        with turn(f"load {source.name}"):
            report = ask_owner("load", source.name) if is_owned(read_configuration()) else load(source)
            stands = standing(source)
        for table in source.tables:
            yield table_result(source, table, report, *stands[table.name])

    return decorate(load_new)


def standing(source: Source) -> dict[str, tuple[int, str]]:
    """Rows of each table, and when the newest of them landed."""
    query = " union all ".join(
        f"select '{table.name}', count(*), cast(max(_landed_at) as varchar) from raw.{source.raw_name(table)}"
        for table in source.tables
    )
    with connect(f"count {source.name}") as warehouse:
        return {str(name): (int(count), str(landed)) for name, count, landed in warehouse.execute(query)}


def table_result(
    source: Source, table: Table, report: LoadReport, row_count: int, landed: str
) -> dg.MaterializeResult[Any]:
    changed = {
        f"{item.column} ({item.change.value})": item.row_count for item in report.changes if item.table == table.name
    }
    return dg.MaterializeResult(
        asset_key=["raw", source.raw_name(table)],
        # Only new rows are news: what reads this table runs when the version changes.
        data_version=dg.DataVersion(f"{row_count} rows, newest {landed}"),
        metadata={
            "dagster/row_count": row_count,
            "rows_loaded": report.rows.get(table.name, 0),
            "schema_changes": changed,
        },
    )


@dg.definitions
def ingestion() -> dg.Definitions:
    return dg.Definitions(assets=[load_asset(source) for source in all_sources()])

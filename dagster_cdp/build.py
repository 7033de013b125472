"""Build one dbt stage in this process, and say in Dagster's words what dbt did.

Nothing of what the engine said goes on: an error message quotes values of the data.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_cdp import dbt, unchanged
from dagster_cdp.live.gate import hot_models
from dagster_cdp.progress import say
from dagster_cdp.warehouse import ask_owner, connect, is_owned
from sources.configuration import read_configuration

Event = dg.Output[Any] | dg.AssetMaterialization | dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.AssetObservation
NOT_AGAIN = {"built": "not again: nothing new to read, and every test passed when it was"}


def build(context: dg.AssetExecutionContext) -> Iterator[Event]:
    """Build and test what Dagster selected of one stage, then say what was built and how many rows.

    Raises `dagster.Failure` naming each failed model or test; never with a value of the data.
    """
    stage = context.op_execution_context.op.name
    fingerprint = None
    if context.is_subset:
        unchanged.begin_part(stage)
    elif (fingerprint := unchanged.begin(stage)) is None:
        say(stage, "nothing new to read")
        yield from _as_it_stands(context)
        return
    events = _Events(stage)
    words = ["build", *dbt.places(), *_selection(context), "--no-write-json", "--exclude-resource-type", "unit_test"]
    if is_owned(read_configuration()):
        hot = _hot(context)
        outcome = ask_owner("dbt", words, [dbt.manifest()["nodes"][name]["name"] for name in hot], hear=events.receive)
    else:
        hot, outcome = [], dbt.run(words, events.receive)
    built = [*_kept_live(context, hot), *events.to_dagster(context)]
    yield from _with_row_counts(_parents_first(built) if hot else built)
    if not outcome.success:
        raise dg.Failure(events.failure() or f"dbt could not build {stage}: {outcome.failure}")
    if fingerprint and not events.warned():
        unchanged.finish(stage, fingerprint)


def _as_it_stands(context: dg.AssetExecutionContext) -> Iterator[Event]:
    """The tables of a stage that has nothing new to read, parents first, with their row counts."""
    nodes = dbt.manifest()["nodes"]
    keys = {dbt.translator().get_asset_key(node): name for name, node in nodes.items() if "depends_on" in node}
    chosen = {keys[key]: key for key in context.selected_asset_keys}
    counts = _row_counts(list(chosen))
    order = TopologicalSorter({name: nodes[name]["depends_on"].get("nodes", []) for name in chosen}).static_order()
    for name in (name for name in order if name in chosen):
        yield dg.Output(
            None,
            output_name=chosen[name].to_python_identifier(),
            metadata={"dagster/row_count": counts[name], **NOT_AGAIN},
        )
    for check in context.selected_asset_check_keys:
        yield dg.AssetCheckResult(passed=True, asset_key=check.asset_key, check_name=check.name, metadata=NOT_AGAIN)


def _hot(context: dg.AssetExecutionContext) -> list[str]:
    """Those of the selected models that the owner keeps, by unique id."""
    nodes = dbt.manifest()["nodes"]
    return [name for name in hot_models(dbt.manifest()) if _key(nodes[name]) in context.selected_asset_keys]


def _key(node: Mapping[str, Any]) -> dg.AssetKey:
    return dbt.translator().get_asset_key(node)


def _kept_live(context: dg.AssetExecutionContext, hot: list[str]) -> Iterator[Event]:
    """Hot models are as new as the log; no build is needed, or made, of them."""
    for name in hot:
        key = _key(dbt.manifest()["nodes"][name])
        yield dg.Output(
            None,
            output_name=context.assets_def.get_output_name_for_asset_key(key),
            metadata={
                "unique_id": dg.MetadataValue.text(name),
                "built": "by the owner of the warehouse, cycle by cycle",
            },
        )


def _parents_first(events: Iterable[Event]) -> list[Event]:
    """Outputs in the order of the graph, which Dagster insists on, then what was checked of them."""
    outputs = {str(event.metadata["unique_id"].value): event for event in events if isinstance(event, dg.Output)}
    nodes = dbt.manifest()["nodes"]
    graph = {name: nodes[name].get("depends_on", {}).get("nodes", []) for name in nodes}
    order = [name for name in TopologicalSorter(graph).static_order() if name in outputs]
    return [*(outputs[name] for name in order), *(event for event in events if not isinstance(event, dg.Output))]


def _selection(context: dg.AssetExecutionContext) -> list[str]:
    arguments, indirect = get_subset_selection_for_context(
        context=context,
        manifest=dbt.manifest(),
        select=context.op_execution_context.op.tags.get("dagster_dbt/select"),
        exclude=None,
        selector=None,
        dagster_dbt_translator=dbt.translator(),
        current_dbt_indirect_selection_env=None,
    )
    selected = [word for argument in arguments for word in argument.split(" ")]
    # `buildable`: a test over several stages runs with the last of them, not before it exists.
    return [*selected, "--indirect-selection", indirect or "buildable"]


class _Events:
    """What dbt said, kept until the stage ends."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._of_node: dict[str, dict[str, Any]] = {}  # the last word on each: an owner tests hot models once more

    def receive(self, result: dict[str, Any]) -> None:
        self._of_node[result["data"]["node_info"]["unique_id"]] = result
        if result["info"]["name"] != "LogTestResult":
            say(self._stage, result["data"]["node_info"].get("node_name", ""))

    def to_dagster(self, context: dg.AssetExecutionContext) -> Iterator[Event]:
        for result in self._of_node.values():
            message = DbtCoreCliEventMessage(raw_event=result, event_history_metadata={})
            yield from message.to_default_asset_events(
                manifest=dbt.manifest(), dagster_dbt_translator=dbt.translator(), context=context, project=dbt.project()
            )

    def warned(self) -> bool:
        return any(result["data"].get("status") == "warn" for result in self._of_node.values())

    def failure(self) -> str:
        failed = [
            result["data"] for result in self._of_node.values() if result["data"].get("status") in ("error", "fail")
        ]
        lines = [f"{data['node_info']['node_name']} ({data['status']})" for data in failed]
        how = f"run `dbt build --select {' '.join(d['node_info']['node_name'] for d in failed)}` to see the rows"
        return f"dbt {self._stage}: {', '.join(lines)}; {how}" if failed else ""


def _with_row_counts(events: Iterable[Event]) -> Iterator[Event]:
    """Add `dagster/row_count` to each built relation, read in one go after dbt has closed the file."""
    built = list(events)
    names = [event.metadata["unique_id"].value for event in built if isinstance(event, dg.Output)]
    counts = _row_counts([str(name) for name in names])
    for event in built:
        if isinstance(event, dg.Output):
            count = counts.get(str(event.metadata["unique_id"].value))
            extra = {} if count is None else {"dagster/row_count": dg.MetadataValue.int(count)}
            yield dg.Output(None, output_name=event.output_name, metadata={**event.metadata, **extra})
        else:
            yield event


def _row_counts(unique_ids: list[str]) -> dict[str, int]:
    with connect("row counts") as warehouse:
        return unchanged.row_counts(unique_ids, warehouse)

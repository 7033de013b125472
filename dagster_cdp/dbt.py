"""The dbt project as Dagster sees it: where it is, what its assets are called, how a stage is built.

dbt runs in this process (`dbtRunner`), because each start of the dbt command costs 3-5 s and a
second process could not share the DuckDB file.
"""

import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_cdp.progress import say
from sources.configuration import read_configuration

FOLDER = Path(__file__).parents[1] / "dbt_project"
STAGES = ("staging", "identity", "profiles", "audiences", "ops")
Event = (
    dg.Output[Any] | dg.AssetMaterialization | dg.AssetCheckResult | dg.AssetCheckEvaluation | dg.AssetObservation
)


class BadProject(RuntimeError):
    """The dbt project can't be parsed; the message is dbt's own, which names the file."""


def target() -> str:
    """The profile target: `duckdb` unless `CDP_TARGET` says otherwise."""
    return read_configuration().target


def _environment() -> None:
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    os.environ["CDP_WAREHOUSE"] = str(read_configuration().warehouse)


def target_path() -> Path:
    """One folder per target: a manifest names the database it was made for."""
    return FOLDER / "target" / target()


def _places() -> list[str]:
    return [
        "--project-dir", str(FOLDER),
        "--profiles-dir", str(FOLDER),
        "--target", target(),
        "--target-path", str(target_path()),
    ]  # fmt: skip


def _is_stale(manifest: Path) -> bool:
    if not manifest.exists():
        return True
    written = manifest.stat().st_mtime
    inputs = (path for part in ("models", "macros", "seeds", "tests") for path in (FOLDER / part).rglob("*"))
    return any(path.stat().st_mtime > written for path in (*inputs, *FOLDER.glob("*.yml")))


def _invoke(arguments: list[str], **options: Any) -> Any:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - 3 s to import, not needed to show the graph

    _environment()
    # Neither dbt's log file nor its result artifacts: an engine's error message quotes values.
    quiet = ["--quiet", "--log-level-file", "none", "--no-use-colors", *arguments]
    try:
        return dbtRunner(**options).invoke(quiet)
    finally:
        _let_go_of_the_file()


def _let_go_of_the_file() -> None:
    """Close what dbt-duckdb leaves open until the process ends; others wait for the file."""
    if target() == "duckdb":
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - as above

        if left_open := DuckDBConnectionManager._ENV:  # noqa: SLF001 - dbt-duckdb only forgets it
            left_open.close()
        DuckDBConnectionManager.close_all_connections()


@functools.cache
def _parsed() -> Any:
    """Dbt's own parse of the project, kept for the life of the process."""
    outcome = _invoke(["parse", *_places()])
    if not outcome.success:
        raise BadProject(f"dbt cannot parse {FOLDER.name}: {outcome.exception}")
    return outcome.result


@functools.cache
def project() -> DbtProject:
    """The project with a manifest that is not older than its files, also outside `dagster dev`."""
    manifest = target_path() / "manifest.json"
    if _is_stale(manifest):
        _parsed()
        manifest.touch()  # a partial parse that changed nothing leaves the file as it was
    return DbtProject(
        project_dir=FOLDER,
        profiles_dir=FOLDER,
        target=target(),
        target_path=target_path().relative_to(FOLDER),
    )


class Translator(DagsterDbtTranslator):
    """Asset key = schema and name, group = stage, and every model reacts to what it reads."""

    def __init__(self) -> None:
        # A singular test over several models becomes a check of the model its `meta` names.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=False))

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        stage = properties["schema"]
        owner = properties["config"]["meta"].get("owner")
        spec = spec.replace_attributes(group_name=stage, owners=[f"team:{owner}"] if owner else [])
        if properties["resource_type"] == "seed":
            return spec
        return spec.replace_attributes(automation_condition=reaction(stage))


def reaction(stage: str) -> dg.AutomationCondition[Any]:
    """When to build: as soon as something upstream is new; audiences also as time passes."""
    eager = dg.AutomationCondition.eager()
    if stage == "staging":
        # A source that was read without finding anything new keeps its data version.
        news = dg.AutomationCondition.data_version_changed() | dg.AutomationCondition.will_be_requested()
        return eager.replace("any_deps_updated", dg.AutomationCondition.any_deps_match(news))
    if stage == "audiences":
        # "Nothing bought for 60 days" becomes true without any new data.
        tick: dg.AutomationCondition[Any] = dg.AutomationCondition.cron_tick_passed("0 * * * *")
        return eager | (tick.since_last_handled() & ~dg.AutomationCondition.any_deps_missing())
    return eager


def build(context: dg.AssetExecutionContext) -> Iterator[Event]:
    """Build and test what Dagster selected of one stage, then say what was built and how many rows.

    Raises `dagster.Failure` naming each failed model or test; never with a value of the data.
    """
    stage = context.op_execution_context.op.name
    events = _Events(stage)
    outcome = _invoke(
        ["build", *_places(), *_selection(context), "--no-write-json", "--exclude-resource-type", "unit_test"],
        manifest=_parsed(),
        callbacks=[events.receive],
    )
    yield from _with_row_counts(events.to_dagster(context))
    if not outcome.success:
        raise dg.Failure(events.failure() or f"dbt could not build {stage}: {type(outcome.exception).__name__}")


def _selection(context: dg.AssetExecutionContext) -> list[str]:
    arguments, indirect = get_subset_selection_for_context(
        context=context,
        manifest=_manifest(),
        select=context.op_execution_context.op.tags.get("dagster_dbt/select"),
        exclude=None,
        selector=None,
        dagster_dbt_translator=Translator(),
        current_dbt_indirect_selection_env=None,
    )
    selected = [word for argument in arguments for word in argument.split(" ")]
    # `buildable`: a test over several stages runs with the last of them, not before it exists.
    return [*selected, "--indirect-selection", indirect or "buildable"]


@functools.cache
def _manifest() -> Mapping[str, Any]:
    from dagster_dbt.dbt_manifest import validate_manifest  # noqa: PLC0415 - beside its only use

    return validate_manifest(project().manifest_path)


class _Events:
    """What dbt said, kept until the stage ends."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._results: list[dict[str, Any]] = []

    def receive(self, event: Any) -> None:
        if not event.info.name.startswith("Log") or not event.info.name.endswith("Result"):
            return
        from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - comes with dbt

        result = MessageToDict(event, preserving_proto_field_name=True)
        self._results.append(result)
        if event.info.name != "LogTestResult":
            say(self._stage, result["data"]["node_info"].get("node_name", ""))

    def to_dagster(self, context: dg.AssetExecutionContext) -> Iterator[Event]:
        for result in self._results:
            message = DbtCoreCliEventMessage(raw_event=result, event_history_metadata={})
            yield from message.to_default_asset_events(
                manifest=_manifest(), dagster_dbt_translator=Translator(), context=context, project=project()
            )

    def failure(self) -> str:
        failed = [result["data"] for result in self._results if result["data"].get("status") in ("error", "fail")]
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
    from dagster_cdp.warehouse import connect  # noqa: PLC0415 - opens the warehouse, never at import

    if not unique_ids:
        return {}
    nodes = {name: _manifest()["nodes"][name] for name in unique_ids}
    query = " union all ".join(
        f"select '{name}', count(*) from {node['schema']}.{node['alias']}" for name, node in nodes.items()
    )
    with connect() as warehouse:
        return {name: int(count) for name, count in warehouse.execute(query)}

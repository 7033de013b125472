"""The dbt project as Dagster sees it: where it is, what its assets are called, when they react.

dbt runs in this process (`dbtRunner`), because each start of the dbt command costs 3-5 s and a
second process could not share the DuckDB file.
"""

import fcntl
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from dagster_cdp.dbt_flags import forget_who_declared
from sources.configuration import read_configuration

FOLDER = Path(__file__).parents[1] / "dbt_project"
PARTS = ("models", "macros", "seeds", "tests")
STAGES = ("staging", "identity", "profiles", "audiences", "ops")


class BadProject(RuntimeError):
    """The dbt project can't be parsed; the message is dbt's own, which names the file."""


def target() -> str:
    """The profile target: `duckdb` unless `CDP_TARGET` says otherwise."""
    return read_configuration().target


def _environment() -> None:
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    os.environ["CDP_WAREHOUSE"] = str(read_configuration().warehouse)


def target_path() -> Path:
    """One folder per target, in dbt's `DBT_TARGET_PATH`: a manifest names the database it was made for."""
    return FOLDER / os.environ.get("DBT_TARGET_PATH", "target") / target()


def places(folder: Path | None = None) -> list[str]:
    """Where dbt finds the project and its profile, and puts what it makes of them."""
    return [
        "--project-dir", str(FOLDER),
        "--profiles-dir", str(FOLDER),
        "--target", target(),
        "--target-path", str(folder or target_path()),
    ]  # fmt: skip


def inputs() -> list[Path]:
    """Every file that says how the warehouse is built."""
    nested = (path for part in PARTS for path in (FOLDER / part).rglob("*") if path.is_file())
    return sorted([*nested, *FOLDER.glob("*.yml")])


def _is_stale(manifest: Path) -> bool:
    if not manifest.exists():
        return True
    written = manifest.stat().st_mtime
    return any(path.stat().st_mtime > written for path in inputs())


def invoke(arguments: list[str], **options: Any) -> Any:
    """Run one dbt command in this process, silently; gives dbt's own result, and lets go of the file."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - 3 s to import, not needed to show the graph

    _environment()
    forget_who_declared()
    # Neither log nor result artifacts: an engine's error message quotes values.
    quiet = ["--log-level", "none", "--log-level-file", "none", *arguments]
    try:
        return dbtRunner(**options).invoke(quiet)
    finally:
        _let_go_of_the_file()


@dataclass(frozen=True)
class Outcome:
    """What came of a dbt command; `failure` is the kind of an error that isn't a model's."""

    success: bool
    failure: str = ""


def run(arguments: list[str], hear: Callable[[dict[str, Any]], None]) -> Outcome:
    """Run one dbt command on the project as parsed; `hear` is told each result, as plain words."""
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - comes with dbt

    def receive(event: Any) -> None:
        if event.info.name.startswith("Log") and event.info.name.endswith("Result"):
            hear(MessageToDict(event, preserving_proto_field_name=True))

    outcome = invoke(arguments, manifest=parsed(), callbacks=[receive])
    return Outcome(outcome.success, "" if outcome.exception is None else type(outcome.exception).__name__)


def forget_if_changed() -> None:
    """Parse the project again, in a process that lives on, once its files are newer than what was parsed."""
    if _is_stale(target_path() / "manifest.json"):
        forget()


def forget() -> None:
    """Forget what was parsed, and all that stands on it."""
    for kept in (parsed, project, manifest, translator):
        kept.cache_clear()


def _let_go_of_the_file() -> None:
    """Close what dbt-duckdb leaves open until the process ends; others wait for the file."""
    if target() == "duckdb":
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - as above

        if left_open := DuckDBConnectionManager._ENV:  # noqa: SLF001 - dbt-duckdb only forgets it
            left_open.close()
        DuckDBConnectionManager.close_all_connections()


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time parse the project or read what it wrote: dbt writes its manifest in place."""
    target_path().mkdir(parents=True, exist_ok=True)
    with (target_path() / "parse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def parsed() -> Any:
    """Dbt's own parse of the project, kept for the life of the process."""
    with _alone():
        outcome = invoke(["parse", *places()])
    if not outcome.success:
        raise BadProject(f"dbt cannot parse {FOLDER.name}: {outcome.exception}")
    return outcome.result


@functools.cache
def project() -> DbtProject:
    """The project with a manifest that is not older than its files, also outside `dagster dev`."""
    manifest = target_path() / "manifest.json"
    if _is_stale(manifest):
        parsed()
        manifest.touch()  # a partial parse that changed nothing leaves the file as it was
    return DbtProject(
        project_dir=FOLDER,
        profiles_dir=FOLDER,
        target=target(),
        target_path=target_path().relative_to(FOLDER),
    )


@functools.cache
def manifest() -> Mapping[str, Any]:
    """The manifest as Dagster reads it."""
    from dagster_dbt.dbt_manifest import validate_manifest  # noqa: PLC0415 - beside its only use

    path = project().manifest_path
    with _alone():
        return validate_manifest(path)


class Translator(DagsterDbtTranslator):
    """Asset key = schema and name, group = stage, and every model reacts to what it reads."""

    def __init__(self) -> None:
        # A singular test over several models becomes a check of the model its `meta` names.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=False))

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        stage = properties["schema"]
        # `raw.loads` and its like are written by every load: plumbing, not assets.
        kept = [dep for dep in spec.deps if dep.asset_key.path[0] != "raw" or "__" in dep.asset_key.path[-1]]
        owner = properties["config"]["meta"].get("owner")
        spec = spec.replace_attributes(deps=kept, group_name=stage, owners=[f"team:{owner}"] if owner else [])
        if properties["resource_type"] == "seed":
            return spec
        return spec.replace_attributes(automation_condition=reaction(stage))


@functools.cache
def translator() -> Translator:
    """One for all: it remembers what it said of each node, and Dagster asks for each event of a build."""
    return Translator()


@functools.cache
def reaction(stage: str) -> dg.AutomationCondition[Any]:
    """When to build: as soon as something upstream is new; audiences also as time passes."""
    eager = dg.AutomationCondition.eager()
    if stage in ("staging", "ops"):
        # A source that was read without finding anything new keeps its data version.
        loaded = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
        asked = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.will_be_requested())
        return eager.replace("any_deps_updated", loaded | asked.ignore(dg.AssetSelection.groups("raw")))
    if stage == "audiences":
        # "Nothing bought for 60 days" becomes true without any new data; windows are whole UTC days.
        tick: dg.AutomationCondition[Any] = dg.AutomationCondition.cron_tick_passed("1 0 * * *")
        return eager | (tick.since_last_handled() & ~dg.AutomationCondition.any_deps_missing())
    return eager

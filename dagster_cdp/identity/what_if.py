"""A change of the identifier rules tried beside the real tables: built in schemas of its own, compared, dropped."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster_cdp import dbt
from dagster_cdp.identity.consequences import Consequences, compare
from dagster_cdp.identity.proposed_rules import check_rules
from dagster_cdp.warehouse import connect, turn
from reverse_etl.warehouse import quoted

PREFIX = "what_if_"  # read by macros/generate_schema_name.sql
SEED = Path("seeds") / "identifier_rules.csv"


class TrialFailed(RuntimeError):
    """The proposed rules can't be built; nothing of it is kept."""


def what_if(rules: Path) -> Consequences:
    """Build everything that follows from `rules` and compare; the real tables stay as they are.

    Raises BadRules when the file can't be used, TrialFailed naming the models that could not be built.
    """
    check_rules(rules, dbt.FOLDER / SEED)
    with turn("what if"), TemporaryDirectory() as folder:
        _drop()  # what a killed trial left
        try:
            _build(rules, Path(folder))
            with connect("what if") as warehouse:
                return compare(warehouse, PREFIX)
        finally:
            _drop()


def _build(rules: Path, folder: Path) -> None:
    project, state = folder / "project", folder / "state"
    shutil.copytree(dbt.FOLDER, project, ignore=shutil.ignore_patterns("target", "logs", ".user.yml"))
    # What is not built again is read where this manifest says it is: in the real schemas.
    _succeed(dbt.invoke(["parse", *_places(project, state)]))
    shutil.copyfile(rules, project / SEED)
    with _prefixed():
        chosen = ["--select", "identifier_rules+", "--exclude-resource-type", "test", "unit_test"]
        deferred = ["--defer", "--favor-state", "--state", str(state)]
        _succeed(dbt.invoke(["build", *_places(project, folder / "target"), *chosen, *deferred]))


def _places(project: Path, target_path: Path) -> list[str]:
    return [
        "--project-dir", str(project),
        "--profiles-dir", str(project),
        "--target", dbt.target(),
        "--target-path", str(target_path),
    ]  # fmt: skip


def _succeed(outcome: Any) -> None:
    if outcome.success:
        return
    results = getattr(outcome.result, "results", None) or []
    failed = [result.node.name for result in results if str(result.status) in {"error", "fail"}]
    why = f"could not build {', '.join(failed)}" if failed else f"dbt stopped: {type(outcome.exception).__name__}"
    raise TrialFailed(f"the proposed rules {why}; nothing was changed. If `cdp run` works, the rules are to blame")


@contextmanager
def _prefixed() -> Iterator[None]:
    os.environ["CDP_SCHEMA_PREFIX"] = PREFIX
    try:
        yield
    finally:
        del os.environ["CDP_SCHEMA_PREFIX"]


def _drop() -> None:
    with connect("dropping a trial") as warehouse:
        rows = warehouse.execute(
            "select distinct schema_name from information_schema.schemata where schema_name like ?", [f"{PREFIX}%"]
        )
        for (schema,) in rows:
            warehouse.execute(f"drop schema if exists {quoted(schema)} cascade")

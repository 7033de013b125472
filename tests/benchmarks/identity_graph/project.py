"""A throw-away dbt project with the identity macros, whose work is metered from inside dbt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

from tests.benchmarks.identity_graph.meter import Meter

MACROS = Path(__file__).parents[3] / "dbt_project" / "macros"
PROJECT = """
name: identity_benchmark
version: "1.0"
profile: identity_benchmark
model-paths: [models]
macro-paths: ["{macros}/identity", "{macros}/portable", own_macros]
dispatch: [{{macro_namespace: cdp, search_order: [identity_benchmark]}}]
flags: {{send_anonymous_usage_stats: false}}
"""
PROFILE = """
identity_benchmark:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{path}"
      schema: main
      threads: 1
      settings: {{preserve_insertion_order: false, TimeZone: UTC}}
      attach: {attach}
"""


@dataclass
class Project:
    """Metered is the model `metered`, or what a macro puts between `meter: begin` and `meter: end` in dbt's log."""

    folder: Path
    warehouse: str = ":memory:"
    links: Path | None = None
    metered: str | None = None
    meter: Meter = field(default_factory=Meter)
    statements: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def build(self, macros: str = "", models: dict[str, str] | None = None) -> Project:
        for name in ("models", "own_macros"):
            (self.folder / name).mkdir(exist_ok=True)
        attached = [{"path": str(self.links), "alias": "given", "read_only": True}] if self.links else []
        (self.folder / "dbt_project.yml").write_text(PROJECT.format(macros=MACROS))
        (self.folder / "profiles.yml").write_text(PROFILE.format(path=self.warehouse, attach=json.dumps(attached)))
        (self.folder / "own_macros" / "own.sql").write_text(macros)
        for name, sql in (models or {}).items():
            (self.folder / "models" / f"{name}.sql").write_text(sql)
        return self

    def dbt(self, *arguments: str) -> None:
        folder = str(self.folder)
        where = ["--project-dir", folder, "--profiles-dir", folder, "--log-level-file", "none"]
        result = dbtRunner(callbacks=[self.hear]).invoke(["--quiet", *arguments, *where])
        if result.exception:
            raise result.exception
        if not result.success:
            raise AssertionError([one.message for one in result.result])

    def hear(self, event: Any) -> None:
        if event.info.name == "SQLQuery":
            self.statements.append(event.data.sql)
        elif event.info.name in ("JinjaLogDebug", "JinjaLogInfo"):
            self.obey(event.data.msg)
        elif event.info.name in ("NodeStart", "NodeFinished") and event.data.node_info.node_name == self.metered:
            self.obey("meter: begin" if event.info.name == "NodeStart" else "meter: end")

    def obey(self, message: str) -> None:
        if message == "meter: begin":
            self.statements.clear()
            self.meter.begin()
        elif message == "meter: end":
            self.meter.end()
        elif message.startswith("answer: "):
            self.said.append(message.removeprefix("answer: "))

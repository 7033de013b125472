"""Dagster's own state folder, made on first use with telemetry off and turns on the warehouse."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]

# One op at a time on the warehouse inside Dagster; `warehouse.turn` does it between processes.
INSTANCE = """\
telemetry:
  enabled: false
concurrency:
  pools:
    granularity: op
    default_limit: 1
  runs:
    max_concurrent_runs: 2
run_monitoring:
  enabled: true
"""


def make_home() -> Path:
    """Create `.dagster_home/dagster.yaml` unless `DAGSTER_HOME` is set, and export it."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(ROOT / ".dagster_home")))
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(INSTANCE)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    return home

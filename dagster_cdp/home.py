"""Dagster's own state folder: the project's `.dagster_home`, or `DAGSTER_HOME` with the same settings."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / ".dagster_home" / "dagster.yaml"


def make_home() -> Path:
    """Export `DAGSTER_HOME` and give it settings (telemetry off, turns on the warehouse) unless it has its own."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(SETTINGS.parent)))
    home.mkdir(parents=True, exist_ok=True)
    if not (home / SETTINGS.name).exists():
        shutil.copyfile(SETTINGS, home / SETTINGS.name)
    return home

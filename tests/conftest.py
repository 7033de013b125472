"""What every test starts from: no telemetry, no state of the developer, no network beyond loopback."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

for switch, value in {
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "TQDM_DISABLE": "1",
}.items():
    os.environ.setdefault(switch, value)


@pytest.fixture
def cdp_home(tmp_path, monkeypatch):
    """An empty state folder that the environment points to."""
    home = tmp_path / "cdp"
    home.mkdir()
    monkeypatch.setenv("CDP_HOME", str(home))
    monkeypatch.setenv("CDP_WAREHOUSE", str(home / "warehouse.duckdb"))
    monkeypatch.setenv("CDP_INBOX", str(home / "inbox"))
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    monkeypatch.delenv("CDP_TARGET", raising=False)
    monkeypatch.delenv("CDP_LOG", raising=False)
    return home

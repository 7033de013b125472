"""However a day's events are cut into cycles, the live tables are those of a full refresh of the same events."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from live_world import BUILT, build, open_warehouse
from shoppers import Shoppers

from dagster_cdp import dbt
from dagster_cdp.live.gate import hot_models

OWN_HISTORY = {"profile_history", "touched_profiles"}  # what was, which no rebuild can know
TOLD = (  # tables that the story must reach, or the test would prove little
    "identity.profile_identifiers",
    "profiles.profiles",
    "profiles.consents",
    "profiles.channel_orders",
    "audiences.cart_abandoners",
    "audiences.recent_buyers_suppression",
    "audiences.bought_products",
)
SEEDS = range(6) if os.environ.get("CDP_TEST_WHOLE") else range(1)


def differences(live: Path, rebuilt: Path) -> dict[str, int]:
    """Rows that only one of them has, by hot model; columns of plumbing aside."""
    connection = open_warehouse(live)
    connection.execute(f"attach '{rebuilt}' as rebuilt (read_only)")
    found = {}
    for name in hot_models(dbt.manifest()):
        node = dbt.manifest()["nodes"][name]
        if node["name"] in OWN_HISTORY:
            continue
        relation = f"{node['schema']}.{node['alias']}"
        columns = ", ".join(
            f'"{row[0]}"' for row in connection.execute(f"describe {relation}").fetchall() if row[0][0] != "_"
        )
        one, other = f"select {columns} from {relation}", f"select {columns} from rebuilt.{relation}"
        count = connection.execute(
            f"select (select count(*) from ({one} except all {other})) + "
            f"(select count(*) from ({other} except all {one}))"
        ).fetchall()[0][0]
        if count:
            found[node["name"]] = count
    connection.close()
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_any_batching_gives_the_tables_of_a_full_refresh(live, home, tmp_path, monkeypatch, seed):
    dice, lines = random.Random(seed), Shoppers(seed).lines(400)
    while lines:
        cut = dice.choice([1, 3, 20, 80])
        live.write(lines[:cut])
        del lines[:cut]
        if dice.random() < 0.7:
            live.loop.once()
    live.catch_up()
    counts = {table: live.rows(f"select count(*) from {table}")[0][0] for table in TOLD}
    assert min(counts.values()) > 0, counts
    build("verified_contacts")  # not hot: as of the last batch build
    live.loop.refresh()
    live.connection.execute("checkpoint")

    rebuilt = tmp_path / "rebuilt"
    shutil.copytree(home, rebuilt)
    monkeypatch.setenv("CDP_HOME", str(rebuilt))
    build(*BUILT, full_refresh=True)

    assert differences(home / "warehouse.duckdb", rebuilt / "warehouse.duckdb") == {}

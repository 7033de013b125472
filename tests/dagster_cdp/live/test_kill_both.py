"""Collector and owner are killed while clients send: what was said yes to is there once, all is as if built anew."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from live_world import BUILT, build, open_warehouse, start
from shoppers import EVENTS, Shoppers
from test_equivalence import differences

from dagster_cdp import dbt
from dagster_cdp.warehouse import ask_owner, is_owned
from sources.configuration import read_configuration
from sources.demo.sending import free_port, wait_for

KILLS = 10 if os.environ.get("CDP_TEST_WHOLE") else 2
SETTINGS = "sources: {server: {write_key: wk_test, kind: server}}\n"


class Collector:
    """A process of the collector that is started again at the same port."""

    def __init__(self, home: Path) -> None:
        (home / "collector.yml").write_text(SETTINGS)
        self.port = free_port()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "sources.collector", "--port", str(self.port)]
        root = str(Path(__file__).parents[3])
        self.process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.port, self.process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()


class Client:
    """Sends batches and, as SDKs do, each again until the collector has said yes."""

    def __init__(self, port: int) -> None:
        self.shoppers, self.port = Shoppers(11), port
        self.acknowledged: set[str] = set()
        self.again = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.is_over.is_set():
            events = [json.loads(line)["event"] for lane, line in self.shoppers.lines(20) if lane == EVENTS]
            self.send(json.dumps({"writeKey": "wk_test", "batch": events}))
            self.acknowledged |= {event["messageId"] for event in events}
            time.sleep(0.02)

    def send(self, body: str) -> None:
        while True:
            try:
                if httpx.post(f"http://127.0.0.1:{self.port}/v1/batch", content=body, timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            self.again += 1
            time.sleep(0.05)


def killed_under_load(collector: Collector, client: Client) -> subprocess.Popen[str]:
    """So many deaths of each, in turns and together; gives the owner that is alive at the end."""
    dice, owner = random.Random(5), start()
    client.thread.start()
    try:
        for number in range(KILLS):
            time.sleep(dice.uniform(0.5, 3))
            if number % 2:
                collector.kill()
            owner.kill()
            owner.communicate()
            if not number % 2:
                collector.kill()
            owner = start()
    finally:
        client.is_over.set()
        client.thread.join()
    return owner


def let_end(owner: subprocess.Popen[str]) -> None:
    """Once all has landed and what is not hot was built, as the equivalence is told of both."""
    end = time.monotonic() + 120
    while ask_owner("status")["lag_bytes"] and time.monotonic() < end:
        time.sleep(0.2)
    done = ask_owner("dbt", ["run", *dbt.places(), "--select", "verified_contacts", "--no-write-json"], [])
    assert done.success
    owner.send_signal(signal.SIGTERM)
    owner.communicate(timeout=60)
    assert owner.returncode == 0
    assert not is_owned(read_configuration())


def test_killed_under_load_nothing_is_lost_or_twice_and_all_is_as_built_anew(home, tmp_path, monkeypatch):
    collector = Collector(home)
    client = Client(collector.port)
    let_end(killed_under_load(collector, client))
    collector.process.terminate()
    collector.process.wait(30)

    warehouse = open_warehouse(home / "warehouse.duckdb")
    query = warehouse.execute
    landed, places = query("select count(*), count(distinct _row_id) from raw.web_events__events").fetchall()[0]
    assert landed == places
    published = query("select event_id from staging.judged_web_events__events where _outcome = 'published'").fetchall()
    assert len(published) == len(set(published))
    assert client.acknowledged <= {event_id for (event_id,) in published}
    assert len(client.acknowledged) > 50 * KILLS
    warehouse.close()

    rebuilt = tmp_path / "rebuilt"
    shutil.copytree(home, rebuilt)
    monkeypatch.setenv("CDP_HOME", str(rebuilt))
    build(*BUILT, full_refresh=True)
    assert differences(home / "warehouse.duckdb", rebuilt / "warehouse.duckdb") == {}
    print(f"{KILLS} deaths of each, {len(client.acknowledged)} events, {client.again} requests sent again")

"""One contender, one run, alone in its process: prints what it cost as JSON.

`python -m tests.benchmarks.sync_engine.contenders NAME WAREHOUSE ADDRESS SNAPSHOT|plan|run`
"""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb

from tests.benchmarks.sync_engine.town import BATCH, COUNTED, HASHED, SYNC, Loopback

COLUMNS = ["profile_id", "email", "first_name", "amount"]
CONSENTED = (
    "select profile_id, email, first_name, cast(amount as double) as amount from audiences.crowd "
    "semi join (select profile_id from profiles.consents where purpose = 'marketing' and channel = 'email' "
    "group by profile_id having bool_and(is_granted)) as consented using (profile_id)"
)


def engine(file, address, what, sync=SYNC, platform=""):
    from reverse_etl.run import previewing, run_sync
    from reverse_etl.warehouse import DuckDBWarehouse

    warehouse = DuckDBWarehouse(duckdb.connect(file))
    destination = Loopback(address, platform, ("email", "phone") if sync is COUNTED else ("email",))
    if what == "plan":
        began = time.perf_counter()
        with previewing(warehouse, sync, destination=destination, gate="ignored") as (planned, _, _):
            return {"plan": time.perf_counter() - began, "seconds": 0.0, "sent": planned.size}
    report = run_sync(warehouse, sync, destination=destination, gate="ignored", approve=True)
    assert report.state == "succeeded", report
    return {"plan": 0.0, "seconds": report.seconds, "sent": report.plan.size}


def hashed(file, address, what):
    return engine(file, address, what, HASHED, platform="meta")


def counted(file, address, what):
    return engine(file, address, what, COUNTED, platform="meta")


def naive(file, address, _):
    """(a) Send everybody again, every time; nobody is ever removed."""
    began, sent = time.perf_counter(), 0
    with Loopback(address).connect() as transport, duckdb.connect(file) as connection:
        cursor = connection.execute(CONSENTED)
        while rows := cursor.fetchmany(BATCH):
            sent += post(transport, [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    return {"plan": 0.0, "seconds": time.perf_counter() - began, "sent": sent}


def pandas_diff(file, address, snapshot):
    """(b) Compare with the snapshot of the last run in pandas, send what differs, write the snapshot."""
    import pandas as pd

    began = time.perf_counter()
    with duckdb.connect(file) as connection:
        now = connection.execute(CONSENTED).df()
    path = Path(snapshot)
    before = pd.read_parquet(path) if path.exists() else now.head(0)
    merged = now.merge(before, on="profile_id", how="outer", suffixes=("", "_was"), indicator=True)
    same = merged["_merge"] == "both"
    for column in COLUMNS[1:]:
        same &= (merged[column] == merged[f"{column}_was"]) | (merged[column].isna() & merged[f"{column}_was"].isna())
    delta = merged[~same]
    plan_seconds, sent = time.perf_counter() - began, 0
    with Loopback(address).connect() as transport:
        for first in range(0, len(delta), BATCH):
            sent += post(transport, delta.iloc[first : first + BATCH][COLUMNS].to_dict("records"))
    now.to_parquet(path)
    return {"plan": plan_seconds, "seconds": time.perf_counter() - began, "sent": sent}


def post(transport, rows):
    from reverse_etl.destination import Request

    return int(transport(Request("/", json.dumps(rows).encode())).json()["taken"])


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    contenders = {"engine": engine, "hashed": hashed, "counted": counted, "naive": naive, "pandas": pandas_diff}
    found = contenders[name](*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "cpu": time.process_time(), "peak_mib": peak}))

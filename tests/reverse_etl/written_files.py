"""A sync to `files`, and what a reader of its files sees."""

import csv

import pyarrow.parquet as pq

from reverse_etl.destinations.files import Destination
from reverse_etl.sync import Sync


def files(folder, fields=("profile_id", "first_name"), rules=None, **options):
    return Destination(
        Sync(
            audience="vip",
            destination="files",
            purpose="marketing",
            channel="post",
            fields={name: {"to": name, **(rules or {}).get(name, {})} for name in fields},
            options={"folder": str(folder), **options},
        )
    )


def rows(file):
    if not file.exists():
        return []
    if file.suffix == ".parquet":
        return pq.read_table(file).to_pylist()
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def members(folder, kind="csv"):
    return {row["_member_id"] for row in rows(folder / f"members.{kind}")}


def changes(folder, kind="csv"):
    return [row for file in sorted(folder.glob(f"changes/run=*/part-*.{kind}")) for row in rows(file)]


def send(destination, changes):
    with destination.connect() as transport:
        return destination.outcomes(changes, transport(destination.request(changes)))

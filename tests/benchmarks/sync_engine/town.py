"""A warehouse with an audience of made-up people, and the 1 % of them that change."""

from pathlib import Path

import duckdb

from reverse_etl.destination import Outcome, Receipt, Request, Spec
from reverse_etl.sync import Sync

BATCH = 10_000
SYNC = Sync(
    audience="crowd",
    destination="loopback",
    purpose="marketing",
    channel="email",
    fields={"profile_id": "external_id", "email": "email", "first_name": "first_name", "amount": "spend"},
)

# A name in clear is refused where only hashes go.
HASHED = SYNC.model_copy(update={"fields": {"profile_id": "external_id", "email": "email", "amount": "spend"}})
COUNTED = SYNC.model_copy(update={"fields": {"email": "email", "phone": "phone", "amount": "spend"}})


def build(file: Path, rows: int) -> None:
    with duckdb.connect(str(file)) as connection:
        for schema in ("audiences", "profiles"):
            connection.execute(f"create schema {schema}")
        connection.execute(
            "create table audiences.crowd as select md5(concat('p', i)) as profile_id, "
            "concat('person', i, '@example.com') as email, "
            "concat('Name', i % 997) as first_name, cast(i % 10000 as decimal(18, 2)) / 100 as amount, "
            "concat('+1202', 5550000 + i // 2) as phone "
            f"from range({rows}) as people(i) order by hash(i)"
        )
        connection.execute(
            "create table profiles.consents as select profile_id, 'marketing' as purpose, 'email' as channel, "
            "true as is_granted from audiences.crowd"
        )


def edit(file: Path) -> None:
    """Of each thousand people 8 change, 1 leaves and 1 comes: a delta of 1 %."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("update audiences.crowd set amount = amount + 1 where hash(profile_id) % 1000 < 8")
        connection.execute("delete from audiences.crowd where hash(profile_id) % 1000 = 8")
        connection.execute(
            "insert into audiences.crowd select md5(concat('n', i)), concat('new', i, '@example.com'), 'New', 1, null "
            "from range((select count(*) // 1000 from audiences.crowd)) as people(i)"
        )
        connection.execute(
            "insert into profiles.consents select profile_id, 'marketing', 'email', true from audiences.crowd "
            "where profile_id not in (select profile_id from profiles.consents)"
        )


class Loopback:
    """A destination that takes everything; who is in a batch is told by place."""

    def __init__(self, address: str, platform: str = "", identifiers: tuple[str, ...] = ("email",)) -> None:
        self.address = address
        self.spec = Spec(
            batch_rows=BATCH,
            batch_bytes=10_000_000,
            identifiers=identifiers,
            platform=platform,
            hash_only=bool(platform),
        )

    def request(self, rows):
        import json

        body = [[row.operation_id, row.operation, dict(row.identifiers), dict(row.fields)] for row in rows]
        return Request("/", json.dumps(body).encode())

    def outcomes(self, rows, response):
        taken = int(response.json()["taken"])
        return [Receipt(row, Outcome.DELIVERED) for row in rows[:taken]]

    def connect(self):
        from reverse_etl import http

        return http.connect(self.address)

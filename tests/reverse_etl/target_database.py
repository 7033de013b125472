"""Databases that a sync to `sql_table` writes, and a look at what was written."""

import os

import duckdb

from reverse_etl.deliver import Delivery
from reverse_etl.destinations.sql_table import Destination
from reverse_etl.sync import Sync


class Database:
    """Reads what was written, through a connection of its own."""

    def __init__(self, engine, address):
        self.engine, self.address = engine, address

    def query(self, sql):
        if self.engine == "duckdb":
            with duckdb.connect(self.address.removeprefix("duckdb://")) as connection:
                return connection.execute(sql).fetchall()
        import psycopg2

        connection = psycopg2.connect(self.address)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    def members(self, table="crm.vip"):
        return {row[0] for row in self.query(f"select profile_id from {table}")}


def emptied(engine, folder):
    """A database of that engine without the schema that tests write to."""
    address = f"duckdb://{folder / 'target.duckdb'}"
    if engine == "postgres":
        user, password = os.environ.get("PGUSER", "postgres"), os.environ.get("PGPASSWORD")
        server = f"{os.environ.get('PGHOST', '127.0.0.1')}:{os.environ.get('PGPORT', '5432')}"
        name = os.environ.get("PGDATABASE", "cdp")
        address = f"postgresql://{user}{f':{password}' if password else ''}@{server}/{name}"
    database = Database(engine, address)
    database.query("drop schema if exists crm cascade")
    return database


def table(fields=("profile_id", "first_name"), rules=None, templates=None, **options):
    return Destination(
        Sync(
            audience="vip",
            destination="sql_table",
            purpose="marketing",
            channel="email",
            fields={name: {"to": name, **(rules or {}).get(name, {})} for name in fields},
            templates=templates or {},
            options={"table": "crm.vip", **options},
        )
    )


def deliver(destination, changes):
    with destination.connect() as transport:
        return Delivery(destination, transport, float("inf"), sleep=lambda _: None).deliver(changes)

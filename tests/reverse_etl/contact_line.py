"""A destination of contacts or messages under test: made of a few options, its rows written by hand."""

import importlib
import json

from reverse_etl.deliver import Delivery
from reverse_etl.destination import Change, Response
from reverse_etl.read_back import Reader
from reverse_etl.sandbox.vendor import environment
from reverse_etl.sync import Sync


def destination_of(name, fields, mode="mirror", **options):
    """The destination of a sync whose columns are called as its fields are."""
    sync = Sync(
        audience="vip",
        destination=name,
        purpose="marketing",
        channel="email",
        fields={field: field for field in fields},
        options=options,
        mode=mode,
    )
    return importlib.import_module(f"reverse_etl.destinations.{name}").Destination(sync)


def account_at(desk, vendor, monkeypatch):
    """Let what is meant for a vendor go to its server here."""
    for name, value in environment([desk.server.vendors[vendor]], desk.address)[vendor].items():
        monkeypatch.setenv(name, value)


def change(operation="add", person=1, **fields):
    """A change of a made-up person as the engine would make it: found by their first field."""
    fields = fields or {"email": f"person{person}@example.com"}
    found_by = dict([next(iter(fields.items()))])
    kept = {} if operation == "remove" else fields
    return Change(f"{operation}-{person}", operation, f"{person:032x}", found_by, kept)


def said(status=200, body=None, *earlier):
    """An answer; `body` is JSON unless it is bytes."""
    return Response(status, body if isinstance(body, bytes) else json.dumps(body).encode(), earlier=earlier)


def everybody(destination):
    """Who a destination says is there, as it names them, and how many pages it took."""
    with destination.connect() as send:
        asked = []
        reader = Reader(destination, lambda request: (asked.append(request), send(request))[1])
        return [value for member in reader.members() for value in member.values()], asked


def deliver(destination, changes):
    """Outcome and code of each change."""
    with destination.connect() as transport:
        receipts = Delivery(destination, transport, float("inf"), sleep=lambda _: None).deliver(changes)
    return [(str(r.outcome), r.code) for r in receipts]

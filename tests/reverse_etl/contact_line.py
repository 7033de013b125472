"""A destination of contacts under test: made of a few options, its rows written by hand, asked until it knows."""

import importlib
import json
from contextlib import contextmanager
from dataclasses import replace

from reverse_etl.deliver import Delivery
from reverse_etl.destination import Change, Response, Verdict
from reverse_etl.sync import Sync


def destination_of(name, fields=("email", "first_name", "ltv"), channel="email", **options):
    """The destination of a sync whose columns are called as its fields are."""
    sync = Sync(
        audience="vip",
        destination=name,
        purpose="marketing",
        channel=channel,
        fields={field: field for field in fields},
        options=options,
    )
    return importlib.import_module(f"reverse_etl.destinations.{name}").Destination(sync)


def change(operation="add", person=1, **fields):
    """A change of a made-up person as the engine would make it: found by their first field."""
    fields = fields or {"email": f"person{person}@example.com"}
    found_by = dict([next(iter(fields.items()))])
    kept = {} if operation == "remove" else fields
    return Change(f"{operation}-{person}", operation, f"{person:032x}", found_by, kept)


def said(status=200, body=None, *earlier):
    """An answer; `body` is JSON unless it is bytes."""
    return Response(status, body if isinstance(body, bytes) else json.dumps(body).encode(), earlier=earlier)


class Asked:
    """A destination that is asked until it knows, also by an engine that asks once."""

    def __init__(self, destination):
        self._destination = destination
        self._rows = ()

    def __getattr__(self, name):
        return getattr(self._destination, name)

    def request(self, rows):
        self._rows = tuple(rows)
        return self._destination.request(rows)

    @contextmanager
    def connect(self):
        with self._destination.connect() as send:
            yield lambda request: self._answered(send, request)

    def _answered(self, send, request):
        earlier, spec = (), self._destination.spec
        while True:
            response = replace(send(request), earlier=earlier)
            if spec.classify(response) is not Verdict.ANSWERED:
                return response
            further = self._destination.follow(self._rows, response)
            if not further:
                return response
            earlier, request = (*earlier, response), further.request


def asked(destination):
    return Asked(destination) if hasattr(destination, "follow") else destination


def deliver(destination, changes):
    """Outcome and code of each change."""
    line = asked(destination)
    with line.connect() as transport:
        delivery = Delivery(line, transport, float("inf"), sleep=lambda _: None)
        receipts = delivery.deliver(changes)
    return [(str(r.outcome), r.code) for r in receipts]

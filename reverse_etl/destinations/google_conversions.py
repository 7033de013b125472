"""Conversions for Google through the Data Manager API: what a click, or a person, led to.

One `transactionId` counts once: what Google knows already is done, not wrong. It takes a request whole or not at all,
and what fails later (too old, no such click) is only counted, so such a request is split. The sync says what people
agreed to: advertising.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from pydantic import Field

from reverse_etl import settings
from reverse_etl.ads.events import Events, moment_of, number_of
from reverse_etl.apis import google
from reverse_etl.destination import Change, Follow, Receipt, Request, Response, Transport
from reverse_etl.exchange import telling
from reverse_etl.sync import Sync

PERSON = ("email", "phone", "first_name", "last_name", "zip", "country")
CLICKS = ("gclid", "gbraid", "wbraid")


class Options(google.Options):
    """`conversion_action_id`: what the events count as. `event_source`, where no column is mapped to it."""

    conversion_action_id: str = Field(pattern=r"^\d+$")
    event_source: Literal["WEB", "APP", "IN_STORE", "PHONE", "OTHER"] = "WEB"
    batch_rows: int = Field(default=2_000, ge=1, le=2_000)


class Destination:
    """Fields: event_id, event_time, a click or what tells who it was, and value, currency, event_source."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.account = "google"
        google.for_advertising_only(sync)
        self._events = Events.of(sync, self.account, PERSON, CLICKS)
        self.identify = self._events.identify
        self.spec = self._events.spec(self._options.batch_rows, classify=google.classify, requests_per_second=5)

    def request(self, rows: Sequence[Change]) -> Request:
        body = self._options.envelope(self._options.conversion_action_id)
        body |= {"events": [self._event(row) for row in rows], "encoding": "HEX", "consent": google.GRANTED}
        return telling("/v1/events:ingest", body)

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:  # noqa: ARG002 — the contract's
        return google.follow(self._options, response)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        return google.outcomes(rows, response)

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        return google.pointer(rows, response)

    def connect(self) -> AbstractContextManager[Transport]:
        return google.connect(self._sync, self._options.timeout_seconds)

    def _event(self, row: Change) -> dict[str, Any]:
        moment = moment_of(row.fields.get("event_time"))
        event: dict[str, Any] = {
            "transactionId": str(row.fields["event_id"]),
            "eventTimestamp": moment.isoformat().replace("+00:00", "Z") if moment else "",
            "eventSource": row.fields.get("event_source") or self._options.event_source,
        }
        if (value := number_of(row.fields.get("value"))) is not None:
            event["conversionValue"] = value
        if currency := row.fields.get("currency"):
            event["currency"] = currency
        if clicks := {name: row.identifiers[name] for name in CLICKS if name in row.identifiers}:
            event["adIdentifiers"] = clicks
        if person := google.user_identifiers(self._events.person_of(row)):
            event["userData"] = {"userIdentifiers": person}
        return event

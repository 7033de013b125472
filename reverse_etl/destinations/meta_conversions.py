"""Meta's Conversions API: what happened in a shop, on a site or on the phone, told so that ads can learn from it.

The same `event_name` and `event_id` within 48 hours is one event, also when the pixel tells it. One wrong event refuses
the whole request, which is then split. Events on a site may be seven days old, those in a shop two months.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from reverse_etl import settings
from reverse_etl.ads.events import Events, moment_of, number_of
from reverse_etl.apis import meta
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import telling
from reverse_etl.sync import Sync

PERSON = {
    "email": "em",
    "phone": "ph",
    "first_name": "fn",
    "last_name": "ln",
    "gender": "ge",
    "city": "ct",
    "state": "st",
    "zip": "zp",
    "country": "country",
    "external_id": "external_id",
    "mobile_ad_id": "madid",
}
CLICKS = ("fbc", "fbp", "client_ip_address", "client_user_agent")  # never hashed
CUSTOM = ("currency", "order_id")
LIMITED_KEYS = [key.lower() for key in meta.LIMITED_KEYS]
OLDEST, OLDEST_IN_A_SHOP = timedelta(days=7), timedelta(days=62)
Source = Literal[
    "website", "app", "physical_store", "system_generated", "email", "phone_call", "chat", "business_messaging", "other"
]


class Options(settings.Options):
    """`dataset_id`: the dataset or pixel. `event_name` and `action_source`, where no column is mapped to those.

    `test_event_code` sends to the page of test events only.
    """

    dataset_id: str = Field(pattern=r"^\d+$")
    event_name: str = "Purchase"
    action_source: Source = "physical_store"
    test_event_code: str = ""
    limited_data_use: meta.LimitedUse = ""  # under CCPA; of everybody in the sync
    batch_rows: int = Field(default=1_000, ge=1, le=1_000)


class Destination:
    """Fields: event_id, event_time, what tells who it was, and value, currency, order_id, event_source_url."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.account = "meta"
        self._events = Events.of(sync, self.account, tuple(PERSON), CLICKS)
        self.identify = self._events.identify
        self.spec = self._events.spec(
            self._options.batch_rows, batch_bytes=1_000_000, classify=meta.classify, requests_per_second=10
        )

    def request(self, rows: Sequence[Change]) -> Request:
        body: dict[str, Any] = {"data": [self._event(row) for row in rows]}
        if self._options.test_event_code:
            body["test_event_code"] = self._options.test_event_code
        return telling(f"/{self._options.dataset_id}/events", body)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        is_whole = int(response.json()["events_received"]) == len(rows)
        outcome, code = (Outcome.DELIVERED, "") if is_whole else (Outcome.UNKNOWN, "another_number_received")
        return [Receipt(row, outcome, code) for row in rows]

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        """Meta names no event; those that are too old can be told by its own clock."""
        now = meta.too_old_at(response)
        return [place for place, row in enumerate(rows) if now and self._is_too_old(row, now)]

    def connect(self) -> AbstractContextManager[Transport]:
        return meta.connect(self._sync, self._options.timeout_seconds)

    def _is_too_old(self, row: Change, now: datetime) -> bool:
        is_in_a_shop = (row.fields.get("action_source") or self._options.action_source) == "physical_store"
        moment = moment_of(row.fields.get("event_time"))
        return moment is None or now - moment > (OLDEST_IN_A_SHOP if is_in_a_shop else OLDEST)

    def _event(self, row: Change) -> dict[str, Any]:
        person = self._events.person_of(row)
        user = {theirs: person[ours] for ours, theirs in PERSON.items() if ours in person}
        user |= {name: row.identifiers[name] for name in CLICKS if name in row.identifiers}
        moment = moment_of(row.fields.get("event_time"))
        event: dict[str, Any] = {
            "event_name": row.fields.get("event_name") or self._options.event_name,
            "event_id": str(row.fields["event_id"]),
            "event_time": int(moment.timestamp()) if moment else None,
            "action_source": row.fields.get("action_source") or self._options.action_source,
            "user_data": user,
        }
        if self._options.limited_data_use:
            event |= zip(LIMITED_KEYS, meta.LIMITED[self._options.limited_data_use], strict=True)
        custom = {name: row.fields[name] for name in CUSTOM if row.fields.get(name)}
        if (value := number_of(row.fields.get("value"))) is not None:
            custom["value"] = value
        url = row.fields.get("event_source_url")
        return event | ({"custom_data": custom} if custom else {}) | ({"event_source_url": url} if url else {})

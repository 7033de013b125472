"""Customer.io: people are identified in a batch, then put into a manual segment by their ids.

Times are whole seconds there: `created_at` and what `timestamps` names are converted.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.contacts import Address, ContactOptions, Contacts, basic, declared, secrets
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Scalar, Transport
from reverse_etl.sync import Sync

WAYS = ("external_id", "email")
MOST_PEOPLE, MOST_BYTES = 1_000, 500_000
ID_TYPES = {"external_id": "id", "email": "email"}


class Settings(BaseSettings):
    """CUSTOMERIO_SITE_ID, CUSTOMERIO_API_KEY of the Track API, and CUSTOMERIO_URL (https://track-eu… in Europe)."""

    model_config = SettingsConfigDict(env_prefix="CUSTOMERIO_", extra="ignore")

    site_id: str
    api_key: SecretStr
    url: Address = "https://track.customer.io"


class Options(ContactOptions):
    """`segment_id` of a manual segment; `timestamps`: fields that are moments."""

    segment_id: int = Field(gt=0)
    timestamps: frozenset[str] = frozenset()


class Destination:
    """Members are people in a segment, found by their id or e-mail address."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, {"external_id": "id"})
        self._id_type = ID_TYPES[self._contacts.found_by]
        self._moments = {"created_at", *self._options.timestamps}
        self.identify = self._contacts.identify
        self.spec = self._contacts.spec(MOST_PEOPLE, MOST_BYTES, requests_per_second=100)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            return self._segment("remove_customers", rows)
        return Request("/api/v2/batch", json.dumps({"batch": [self._person(row) for row in rows]}).encode())

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:
        """Put into the segment who was taken; it ignores whom it doesn't know."""
        if rows[0].operation == "remove" or response.earlier:
            return None
        blamed = _blamed(response)
        taken = [row for place, row in enumerate(rows) if place not in blamed and None not in blamed]
        return Follow(self._segment("add_customers", taken)) if taken else None

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        is_removal = rows[0].operation == "remove"
        blamed = {} if is_removal else _blamed((*response.earlier, response)[0])
        is_done = isinstance(response.json(), dict) and (is_removal or bool(response.earlier))
        rest = (Outcome.DELIVERED, "") if is_done else (Outcome.UNKNOWN, "not_in_the_segment_yet")
        return [
            Receipt(row, Outcome.REJECTED, blamed[place]) if place in blamed else Receipt(row, *rest)
            for place, row in enumerate(rows)
        ]

    def connect(self) -> AbstractContextManager[Transport]:
        found = secrets(self._sync, Settings)
        key = {"authorization": basic(found.site_id, found.api_key.get_secret_value())}
        return http.connect(found.url, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds)

    def _segment(self, verb: str, rows: Sequence[Change]) -> Request:
        path = f"/api/v1/segments/{self._options.segment_id}/{verb}?id_type={self._id_type}"
        return Request(path, json.dumps({"ids": [self._contacts.key(row) for row in rows]}).encode())

    def _person(self, row: Change) -> dict[str, Any]:
        attributes = {
            name: _seconds(value) if name in self._moments else value
            for name, value in self._contacts.attributes(row).items()
        }
        who = {self._id_type: self._contacts.key(row)}
        return {"type": "person", "action": "identify", "identifiers": who, "attributes": attributes}


def _blamed(response: Response) -> dict[int | None, str]:
    """Reasons by place in the batch; under None one that names no place."""
    return {error.get("batch_index"): str(error["reason"]) for error in response.json().get("errors") or []}


def _seconds(value: Scalar) -> Scalar:
    """Convert what is a moment or a day in ISO 8601; leave the rest for Customer.io to judge."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

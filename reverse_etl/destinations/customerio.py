"""Customer.io: people are identified in a batch, then put into a manual segment by their ids.

Times are whole seconds there: `created_at` and what `timestamps` names are converted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field

from reverse_etl import settings
from reverse_etl.apis import customerio
from reverse_etl.contacts import ContactOptions, Contacts
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import asking, telling
from reverse_etl.sync import Sync

WAYS = ("external_id", "email")
MOST_PEOPLE, MOST_BYTES, MOST_ON_A_PAGE = 1_000, 500_000, 30_000


class Options(ContactOptions):
    """`segment_id` of a manual segment; `timestamps`: fields that are moments."""

    segment_id: int = Field(gt=0)
    timestamps: frozenset[str] = frozenset()


class Destination:
    """Members are people in a segment, found by their id or e-mail address."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, {"external_id": "id"})
        self._id_type = self._contacts.way
        self._moments = {"created_at", *self._options.timestamps}
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.spec = self._contacts.spec(MOST_PEOPLE, MOST_BYTES, requests_per_second=100)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            return self._segment("remove_customers", rows)
        return telling("/api/v2/batch", {"batch": [self._person(row) for row in rows]})

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

    def read_back(self) -> Request:
        return self._page({})

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        for person in response.json()["identifiers"]:
            yield self._contacts.member(person.get(self._id_type))

    def more(self, _: Request, response: Response) -> Request | None:
        following = response.json().get("next")
        return self._page({"start": following}) if following else None

    def connect(self) -> AbstractContextManager[Transport]:
        return customerio.connect(self._sync, self._options.timeout_seconds)

    def _page(self, page: Mapping[str, str]) -> Request:
        return asking(f"/v1/segments/{self._options.segment_id}/membership", {"limit": MOST_ON_A_PAGE, **page})

    def _segment(self, verb: str, rows: Sequence[Change]) -> Request:
        path = f"/api/v1/segments/{self._options.segment_id}/{verb}?id_type={self._id_type}"
        return telling(path, {"ids": [self._contacts.key(row) for row in rows]})

    def _person(self, row: Change) -> dict[str, Any]:
        attributes = {
            name: customerio.seconds(value) if name in self._moments else value
            for name, value in self._contacts.attributes(row).items()
        }
        who = {self._id_type: self._contacts.key(row)}
        return {"type": "person", "action": "identify", "identifiers": who, "attributes": attributes}


def _blamed(response: Response) -> dict[int | None, str]:
    """Reasons by place in the batch; under None one that names no place."""
    return {error.get("batch_index"): str(error["reason"]) for error in response.json().get("errors") or []}

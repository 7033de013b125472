"""Klaviyo: a job imports profiles and puts them on a list. Being on a list is no subscription, and stays none.

Consent endpoints are never called: subscribing lifts suppressions, and unsubscribing who isn't on the list
unsubscribes them everywhere. To take somebody off a list needs Klaviyo's ids, which are looked up first.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field

from reverse_etl import settings
from reverse_etl.apis import klaviyo
from reverse_etl.contacts import Contacts, settled
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import answers, asked_for, asking, asking_for_people, telling
from reverse_etl.sync import Sync

WAYS = ("email", "external_id", "phone")
NAMES = {"phone": "phone_number", "state": "region"}
MOST_LOOKED_UP, MOST_TAKEN_OFF, NO_CONTENT = 50, 1_000, 204


class Options(klaviyo.Options):
    """`list_id`; `batch_rows`."""

    list_id: str = Field(pattern=r"^\w+$")
    batch_rows: int = Field(default=1_000, ge=1, le=10_000)


class Destination:
    """Members are profiles on a list, found by e-mail address, external id or phone number."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, NAMES)
        self._list = f"/lists/{self._options.list_id}"
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.spec = self._contacts.spec(self._options.batch_rows, 5_000_000, requests_per_second=2.5)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            return self._lookup(rows[:MOST_LOOKED_UP])
        list_ = {"lists": {"data": [{"type": "list", "id": self._options.list_id}]}}
        profiles = {"profiles": {"data": [klaviyo.profile(self._contacts.named(row)) for row in rows]}}
        data = {"type": "profile-bulk-import-job", "attributes": profiles, "relationships": list_}
        return telling(klaviyo.JOBS, {"data": data})

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:
        """Wait for the job; or look everybody up, then take off the list who was found."""
        if rows[0].operation == "remove":
            return self._take_off(rows, answers(response))
        return klaviyo.follow_job(response, self._options.poll_seconds)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if rows[0].operation == "remove":
            said = answers(response)
            removals = said[_lookups(rows) :]
            is_done = self._take_off(rows, said) is None and all(a.status == NO_CONTENT for a in removals)
            return settled(rows, {}, failures=0 if is_done else len(rows))
        job, errors = klaviyo.job_of(response)
        if job["status"] != "complete":
            return [Receipt(row, Outcome.UNKNOWN, f"job_{job['status']}") for row in rows]
        blamed = {self._key_in(error["original_payload"]): str(error["code"]) for error in errors}
        rejected = {row.operation_id: blamed[key] for row in rows if (key := self._contacts.key(row)) in blamed}
        return settled(rows, rejected, job.get("failed_count") or 0)

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        return klaviyo.pointer(response, len(rows))

    def read_back(self) -> Request:
        return self._page({})

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        for profile in response.json()["data"]:
            yield self._contacts.member(profile["attributes"].get(self._contacts.way))

    def more(self, _: Request, response: Response) -> Request | None:
        cursor = asked_for((response.json().get("links") or {}).get("next"), "page[cursor]")
        return self._page({"page[cursor]": cursor}) if cursor else None

    def connect(self) -> AbstractContextManager[Transport]:
        return klaviyo.connect(self._sync, self._options)

    def _page(self, page: Mapping[str, str]) -> Request:
        return asking(f"{self._list}/profiles", {"fields[profile]": self._contacts.way, "page[size]": "100", **page})

    def _key_in(self, payload: dict[str, Any]) -> str:
        return str((payload.get("attributes") or payload).get(self._contacts.way))

    def _lookup(self, rows: Sequence[Change]) -> Request:
        way, wanted = self._contacts.way, json.dumps([self._contacts.key(row) for row in rows])
        query = {"filter": f"any({way},{wanted})", "page[size]": "100", "fields[profile]": way}
        return asking_for_people("/profiles", query)

    def _take_off(self, rows: Sequence[Change], said: Sequence[Response]) -> Follow | None:
        """Give the next lookup or the next removal; None when all is done."""
        lookups = _lookups(rows)
        if len(said) < lookups:
            return Follow(self._lookup(rows[len(said) * MOST_LOOKED_UP :][:MOST_LOOKED_UP]))
        found = [profile["id"] for answer in said[:lookups] for profile in answer.json()["data"]]
        leaving = found[(len(said) - lookups) * MOST_TAKEN_OFF :][:MOST_TAKEN_OFF]
        body = {"data": [{"type": "profile", "id": id_} for id_ in leaving]}
        return Follow(telling(f"{self._list}/relationships/profiles", body, "DELETE")) if leaving else None


def _lookups(rows: Sequence[Change]) -> int:
    return -(-len(rows) // MOST_LOOKED_UP)

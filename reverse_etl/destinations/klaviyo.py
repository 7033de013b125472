"""Klaviyo: a job imports profiles and puts them on a list. Being on a list is no subscription, and stays none.

Consent endpoints are never called: subscribing lifts suppressions, and unsubscribing who isn't on the list
unsubscribes them everywhere. To take somebody off a list needs Klaviyo's ids, which are looked up first.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import contacts, http
from reverse_etl.contacts import answers, question, settled
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport
from reverse_etl.sync import Sync

WAYS = ("email", "external_id", "phone")
NAMES = {"phone": "phone_number", "state": "region"}
PLACE = {"address1", "address2", "city", "region", "zip", "country", "timezone"}
OWN = {"email", "phone_number", "external_id", "first_name", "last_name", "organization", "title", "locale", "image"}
JOBS, MOST_LOOKED_UP, MOST_TAKEN_OFF = "/profile-bulk-import-jobs", 50, 1_000
BLAMED = re.compile(r"/profiles/data/(\d+)(?:/|$)")
UNFINISHED, NO_CONTENT = {"queued", "processing"}, 204


class Settings(BaseSettings):
    """KLAVIYO_API_KEY (pk_…) and KLAVIYO_URL, read when a run sends."""

    model_config = SettingsConfigDict(env_prefix="KLAVIYO_", extra="ignore")

    api_key: SecretStr
    url: contacts.Address = "https://a.klaviyo.com/api"


class Options(contacts.ContactOptions):
    """`list_id`; `revision` of the API, which lives for two years; `batch_rows`; `poll_seconds`."""

    list_id: str = Field(pattern=r"^\w+$")
    revision: str = Field(default="2026-10-15", pattern=r"^\d{4}-\d{2}-\d{2}(\.\w+)?$")
    batch_rows: int = Field(default=1_000, ge=1, le=10_000)
    poll_seconds: float = 2


class Destination:
    """Members are profiles on a list, found by e-mail address, external id or phone number."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, contacts.declared(sync, Options)
        self._contacts = contacts.Contacts.of(sync, self._options, WAYS, NAMES)
        self._found_by = NAMES.get(self._contacts.found_by, self._contacts.found_by)
        self.identify = self._contacts.identify
        self.spec = self._contacts.spec(self._options.batch_rows, 5_000_000, requests_per_second=2.5)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            return self._lookup(rows[:MOST_LOOKED_UP])
        list_ = {"lists": {"data": [{"type": "list", "id": self._options.list_id}]}}
        profiles = {"profiles": {"data": [self._profile(row) for row in rows]}}
        data = {"type": "profile-bulk-import-job", "attributes": profiles, "relationships": list_}
        return Request(JOBS, json.dumps({"data": data}).encode())

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:
        """Poll the job, then read whom it blames; or look everybody up, then take off the list who was found."""
        if rows[0].operation == "remove":
            return self._take_off(rows, answers(response))
        said = response.json()
        if isinstance(said["data"], list):  # a page of errors
            following = parse_qs(urlsplit((said.get("links") or {}).get("next") or "").query).get("page[cursor]")
            return Follow(self._blame(response, {"page[cursor]": following[0]})) if following else None
        if said["data"]["attributes"]["status"] in UNFINISHED:
            path = f"{JOBS}/{said['data']['id']}"
            return Follow(Request(path, b"", "GET"), self._options.poll_seconds)
        return Follow(self._blame(response, {})) if said["data"]["attributes"].get("failed_count") else None

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if rows[0].operation == "remove":
            said = answers(response)
            removals = said[_lookups(rows) :]
            is_done = self._take_off(rows, said) is None and all(a.status == NO_CONTENT for a in removals)
            return settled(rows, {}, failures=0 if is_done else len(rows))
        told = [answer.json()["data"] for answer in answers(response)]
        job = [data for data in told if isinstance(data, dict)][-1]["attributes"]
        if job["status"] != "complete":
            return [Receipt(row, Outcome.UNKNOWN, f"job_{job['status']}") for row in rows]
        errors = [error["attributes"] for page in told if isinstance(page, list) for error in page]
        blamed = {self._key_in(error["original_payload"]): str(error["code"]) for error in errors}
        rejected = {row.operation_id: blamed[key] for row in rows if (key := self._contacts.key(row)) in blamed}
        return settled(rows, rejected, job.get("failed_count") or 0)

    def read_back(self) -> Request:
        return question(f"/lists/{self._options.list_id}", {"additional-fields[list]": "profile_count"})

    def size(self, response: Response) -> int | None:
        return int(response.json()["data"]["attributes"]["profile_count"])

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        """Read which profiles a refused job blames; it imported none."""
        pointers = [(error.get("source") or {}).get("pointer") or "" for error in response.json()["errors"]]
        found = {int(blamed[1]) for pointer in pointers if (blamed := BLAMED.search(pointer))}
        return sorted(index for index in found if index < len(rows))

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        found = contacts.secrets(self._sync, Settings)
        headers = {
            "authorization": f"Klaviyo-API-Key {found.api_key.get_secret_value()}",
            "revision": self._options.revision,
            "content-type": "application/vnd.api+json",
        }
        with http.connect(found.url, sign=lambda _: headers, timeout_seconds=self._options.timeout_seconds) as send:
            yield contacts.asking(send)

    def _profile(self, row: Change) -> dict[str, Any]:
        filled: dict[str, Any] = {self._found_by: self._contacts.key(row), **self._contacts.attributes(row)}
        own = {name: filled.pop(name) for name in list(filled) if name in OWN}
        place = {name: filled.pop(name) for name in list(filled) if name in PLACE}
        groups = {"location": place, "properties": filled}
        return {"type": "profile", "attributes": own | {name: group for name, group in groups.items() if group}}

    def _key_in(self, payload: dict[str, Any]) -> str:
        return str((payload.get("attributes") or payload).get(self._found_by))

    def _blame(self, response: Response, page: dict[str, str]) -> Request:
        job = answers(response)[0].json()["data"]["id"]
        return question(f"{JOBS}/{job}/import-errors", {"page[size]": "100", **page})

    def _lookup(self, rows: Sequence[Change]) -> Request:
        wanted = json.dumps([self._contacts.key(row) for row in rows])
        query = {"filter": f"any({self._found_by},{wanted})", "page[size]": "100", "fields[profile]": self._found_by}
        return question("/profiles", query)

    def _take_off(self, rows: Sequence[Change], said: Sequence[Response]) -> Follow | None:
        """Give the next lookup or the next removal; None when all is done."""
        lookups = _lookups(rows)
        if len(said) < lookups:
            return Follow(self._lookup(rows[len(said) * MOST_LOOKED_UP :][:MOST_LOOKED_UP]))
        found = [profile["id"] for answer in said[:lookups] for profile in answer.json()["data"]]
        leaving = found[(len(said) - lookups) * MOST_TAKEN_OFF :][:MOST_TAKEN_OFF]
        body = json.dumps({"data": [{"type": "profile", "id": id_} for id_ in leaving]}).encode()
        path = f"/lists/{self._options.list_id}/relationships/profiles"
        return Follow(Request(path, body, "DELETE")) if leaving else None


def _lookups(rows: Sequence[Change]) -> int:
    return -(-len(rows) // MOST_LOOKED_UP)

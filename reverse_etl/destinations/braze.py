"""Braze: an audience is a boolean custom attribute of its members, true for who is in and false for who left.

Braze bills attributes. Of a row that changed only the attributes that changed are sent; all of them, and the
audience's, the first time and with a resync, so that it mends what is there. A removal never creates a profile.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.contacts import Address, ContactOptions, Contacts, declared, secrets, settled
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Scalar, Transport
from reverse_etl.sync import Sync

WAYS = ("external_id", "email", "phone")
MOST_OBJECTS, MOST_BYTES = 75, 4_000_000


class Settings(BaseSettings):
    """BRAZE_API_KEY, with the permission users.track, and BRAZE_URL (https://rest.iad-01.braze.com, …)."""

    model_config = SettingsConfigDict(env_prefix="BRAZE_", extra="ignore")

    api_key: SecretStr
    url: Address


class Options(ContactOptions):
    """`attribute` that says who is in the audience (default: `cdp_<audience>`)."""

    attribute: str = Field(default="", pattern=r"^[a-z0-9_]*$")


class Destination:
    """Members are found by external id, e-mail address or phone number."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, {}, can_update=True)
        self._attribute = self._options.attribute or f"cdp_{sync.audience}"
        self.identify = self._contacts.identify
        self.spec = self._contacts.spec(MOST_OBJECTS, MOST_BYTES, requests_per_second=250, names_changes=True)

    def request(self, rows: Sequence[Change]) -> Request:
        return Request("/users/track", json.dumps({"attributes": [self._object(row) for row in rows]}).encode())

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        """Errors name a place in the array; one that names none says nothing about any row."""
        said = response.json()
        places = {error.get("index"): _code(str(error["type"])) for error in said.get("errors") or []}
        if said["message"] != "success" or not places.keys() <= set(range(len(rows))):
            return [Receipt(row, Outcome.UNKNOWN, "unplaced_error") for row in rows]
        return settled(rows, {rows[place].operation_id: code for place, code in places.items()})

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        found = secrets(self._sync, Settings)
        key = {"authorization": f"Bearer {found.api_key.get_secret_value()}"}
        with http.connect(found.url, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds) as send:
            yield lambda request: _told_when(send(request))

    def _object(self, row: Change) -> dict[str, Any]:
        found_by: dict[str, Scalar] = {self._contacts.found_by: self._contacts.key(row)}
        if row.operation == "remove":
            return {**found_by, self._attribute: False, "_update_existing_only": True}
        known = {"_update_existing_only": True} if self._sync.mode == "update" else {}
        attributes = self._contacts.attributes(row)
        if row.changed is None or not attributes:  # an object without attributes would be refused
            attributes[self._attribute] = True
        return {**found_by, **attributes, **known}


def _told_when(response: Response) -> Response:
    """Braze has a header of its own for when to come back, in seconds."""
    wait = response.headers.get("x-ratelimit-retry-after")
    return replace(response, headers={"retry-after": wait, **response.headers}) if wait else response


def _code(said: str) -> str:
    """Make one word of a reason, which is a sentence: `'email' is not valid` → `email_is_not_valid`."""
    words = "".join(letter if letter.isalnum() else " " for letter in said.lower()).split()
    return "_".join(words)[:64]

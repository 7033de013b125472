"""Braze: an audience is a boolean custom attribute of its members, true for who is in and false for who left.

Braze bills attributes. Of a row that changed only the attributes that changed are sent; all of them, and the
audience's, the first time and with a resync, so that it mends what is there. A removal never creates a profile.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.contacts import ContactOptions, Contacts, settled
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Scalar, Transport
from reverse_etl.exchange import telling
from reverse_etl.sync import Sync

WAYS = ("external_id", "email", "phone")
MOST_OBJECTS, MOST_BYTES, MOST_LOOKED_UP = 75, 4_000_000, 50
ONE_BY = {"email": "email_address", "phone": "phone"}  # how an export names the only one it can be asked for


class Settings(settings.Settings, env_prefix="BRAZE_"):
    """BRAZE_API_KEY, with the permissions users.track and, for drift, users.export.ids.

    BRAZE_URL is https://rest.iad-01.braze.com, ….
    """

    api_key: SecretStr
    url: settings.Address


class Options(ContactOptions):
    """`attribute` that says who is in the audience (default: `cdp_<audience>`)."""

    attribute: str = Field(default="", pattern=r"^[a-z0-9_]*$")


class Destination:
    """Members are found by external id, e-mail address or phone number."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, {}, can_update=True)
        self._attribute = self._options.attribute or f"cdp_{sync.audience}"
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.looked_up_at_once = MOST_LOOKED_UP if self._contacts.found_by == "external_id" else 1
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

    def look_up(self, members: Sequence[Mapping[str, Scalar]]) -> Request:
        """Export members by their ids, or one by an address or a number; nobody can be listed."""
        way = self._contacts.found_by
        keys = [member[way] for member in members]
        asked: dict[str, Any] = {"external_ids": keys} if way == "external_id" else {ONE_BY[way]: keys[0]}
        return telling("/users/export/ids", {**asked, "fields_to_export": [way, "custom_attributes"]})

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        for user in response.json()["users"]:
            if (user.get("custom_attributes") or {}).get(self._attribute) is True:
                yield self._contacts.member(user.get(self._contacts.found_by))

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        found = settings.secrets(self._sync, Settings)
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

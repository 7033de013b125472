"""Iterable: people on a static list. To leave the list is not to be unsubscribed from anything.

Failures come as lists of addresses and ids, by reason. Who had Iterable forget them is rejected, and gone already.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.contacts import ContactOptions, Contacts, settled
from reverse_etl.destination import Change, Receipt, Request, Response, Transport, Unreadable, Verdict, by_status
from reverse_etl.exchange import asking, telling
from reverse_etl.sync import Sync

WAYS = ("email", "external_id")
NAMES = {"external_id": "userId", "first_name": "firstName", "last_name": "lastName", "phone": "phoneNumber"}
OWN = {"email", "userId"}
MOST_PEOPLE, MOST_BYTES = 1_000, 4_000_000
FINE_ON_REMOVAL = ("notFound", "forgotten")


class Settings(settings.Settings, env_prefix="ITERABLE_"):
    """ITERABLE_API_KEY and ITERABLE_URL (https://api.eu.iterable.com/api in Europe)."""

    api_key: SecretStr
    url: settings.Address = "https://api.iterable.com/api"


class Options(ContactOptions):
    """`list_id` of a static list."""

    list_id: int = Field(gt=0)


def classify(response: Response) -> Verdict:
    """A list nobody made is no row's fault."""
    if response.status == 400 and b"list" in response.body.lower():  # noqa: PLR2004
        return Verdict.CONFIG
    return by_status(response)


class Destination:
    """Members are people on a list, found by e-mail address or user id."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, NAMES, can_update=True)
        self._found_by = self._contacts.way
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.spec = self._contacts.spec(MOST_PEOPLE, MOST_BYTES, classify=classify, requests_per_second=5)

    def request(self, rows: Sequence[Change]) -> Request:
        body: dict[str, Any] = {"listId": self._options.list_id}
        if rows[0].operation == "remove":
            body |= {"subscribers": [{self._found_by: self._contacts.key(row)} for row in rows]}
            body |= {"channelUnsubscribe": False}
            return telling("/lists/unsubscribe", body)
        body |= {"subscribers": [self._person(row) for row in rows]}
        body |= {"updateExistingUsersOnly": self._sync.mode == "update"}
        return telling("/lists/subscribe", body)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = response.json()
        reasons = {str(v).lower(): reason for reason, values in said["failedUpdates"].items() for v in values}
        blamed = {row.operation_id: reason for row in rows if (reason := self._reason(row, reasons))}
        is_removal = rows[0].operation == "remove"
        fine = {id_ for id_, reason in blamed.items() if is_removal and reason.startswith(FINE_ON_REMOVAL)}
        rejected = {id_: reason for id_, reason in blamed.items() if id_ not in fine}
        return settled(rows, rejected, failures=int(said["failCount"]) - len(fine))

    def read_back(self) -> Request:
        by = "true" if self._found_by == "userId" else "false"
        return asking("/lists/getUsers", {"listId": self._options.list_id, "preferUserId": by})

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        """All of them come in one answer, a line each."""
        if "html" in response.headers.get("content-type", ""):
            raise Unreadable("some proxy's page is no list")
        yield from (self._contacts.member(line) for line in response.body.decode().splitlines() if line)

    def connect(self) -> AbstractContextManager[Transport]:
        found = settings.secrets(self._sync, Settings)
        key = {"api-key": found.api_key.get_secret_value()}
        return http.connect(found.url, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds)

    def _person(self, row: Change) -> dict[str, Any]:
        filled = self._contacts.named(row)
        own = {name: value for name, value in filled.items() if name in OWN and value is not None}
        data = {name: value for name, value in filled.items() if name not in OWN}
        return {**own, "dataFields": data, "preferUserId": self._found_by == "userId"}

    def _reason(self, row: Change, reasons: Mapping[str, str]) -> str:
        """Find the row by whichever of its ids is blamed; addresses come back in lower case."""
        own = self._person(row)
        return next((reasons[key] for name in OWN if (key := str(own.get(name)).lower()) in reasons), "")

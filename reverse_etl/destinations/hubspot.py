"""HubSpot: contacts are upserted, then put on a static list by their record ids; to leave it, they are read first.

A success that speaks of nobody is none: HubSpot has answered 200 with neither results nor errors.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field

from reverse_etl import settings
from reverse_etl.apis import hubspot
from reverse_etl.contacts import ContactOptions, Contacts
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import answers, asking, telling
from reverse_etl.sync import Sync

WAYS = ("email", "external_id")
NAMES = {"first_name": "firstname", "last_name": "lastname"}
MOST_CONTACTS, MOST_BYTES = 100, 2_000_000
CONTACTS = "/crm/v3/objects/contacts/batch"
FOR_GOOD = {"VALIDATION_ERROR", "CONFLICT", "OBJECT_NOT_FOUND", "OBJECT_ALREADY_EXISTS"}


class Options(ContactOptions):
    """`list_id` of a static list; `external_id_property`, your unique property, when found by `external_id`."""

    list_id: str = Field(pattern=r"^\d+$")
    external_id_property: str = "external_id"


class Destination:
    """Members are contacts on a list, found by e-mail address or a unique property."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        names = {**NAMES, "external_id": self._options.external_id_property}
        self._contacts = Contacts.of(sync, self._options, WAYS, names)
        self._found_by = self._contacts.way
        self._list = f"/crm/v3/lists/{self._options.list_id}"
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.spec = self._contacts.spec(MOST_CONTACTS, MOST_BYTES, classify=hubspot.classify, requests_per_second=10)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            return self._read([self._contacts.key(row) for row in rows], {"idProperty": self._found_by})
        return telling(f"{CONTACTS}/upsert", {"inputs": [self._input(row) for row in rows]})

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:
        """Put on the list who was upserted, or take off it who was found."""
        ids = [str(contact["id"]) for contact in response.json()["results"]] if not response.earlier else []
        if not ids:
            return None
        is_removal = rows[0].operation == "remove"
        body = {"recordIdsToAdd": [] if is_removal else ids, "recordIdsToRemove": ids if is_removal else []}
        return Follow(telling(f"{self._list}/memberships/add-and-remove", body, "PUT"))

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        contacts, *listed = (answer.json() for answer in answers(response))
        record_of = {self._name(contact): str(contact["id"]) for contact in contacts["results"]}
        missing = set(map(str, listed[0]["recordIdsMissing"])) if listed else set(record_of.values())
        blamed = hubspot.blamed(contacts)
        receipts = []
        for row in rows:
            name = self._contacts.key(row) if row.operation == "remove" else row.operation_id
            if name in record_of:
                is_listed = record_of[name] not in missing
                is_done = is_listed or (row.operation == "remove" and bool(listed))
                outcome, code = (Outcome.DELIVERED, "") if is_done else (Outcome.UNKNOWN, "not_on_the_list_yet")
            elif name not in blamed:
                continue  # HubSpot says nothing of this row
            elif row.operation == "remove" and blamed[name] == "OBJECT_NOT_FOUND":
                outcome, code = Outcome.DELIVERED, ""
            else:
                outcome, code = Outcome.REJECTED if blamed[name] in FOR_GOOD else Outcome.UNKNOWN, blamed[name].lower()
            receipts.append(Receipt(row, outcome, code))
        return receipts

    def read_back(self) -> Request:
        return self._page({})

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        """The list names record ids; who they are is on every other page."""
        for contact in response.json()["results"]:
            if "properties" in contact:
                yield self._contacts.member(contact["properties"].get(self._found_by))

    def more(self, asked: Request, response: Response) -> Request | None:
        said = response.json()
        if asked.method == "GET" and said["results"]:
            return self._read([str(member["recordId"]) for member in said["results"]], {})
        page = response.earlier[-1].json() if response.earlier else {}
        after = ((page.get("paging") or {}).get("next") or {}).get("after")
        return self._page({"after": after}) if after else None

    def connect(self) -> AbstractContextManager[Transport]:
        return hubspot.connect(self._sync, self._options.timeout_seconds)

    def _page(self, page: Mapping[str, str]) -> Request:
        return asking(f"{self._list}/memberships", {"limit": MOST_CONTACTS, **page})

    def _read(self, ids: Sequence[str], by: Mapping[str, str]) -> Request:
        wanted = {"properties": [self._found_by], "inputs": [{"id": id_} for id_ in ids]}
        return telling(f"{CONTACTS}/read", {**by, **wanted})

    def _input(self, row: Change) -> dict[str, Any]:
        properties = {name: hubspot.text(value) for name, value in self._contacts.named(row).items()}
        named = {"idProperty": self._found_by, "id": self._contacts.key(row), "objectWriteTraceId": row.operation_id}
        return {**named, "properties": properties}

    def _name(self, contact: Mapping[str, Any]) -> str:
        return str(contact.get("objectWriteTraceId") or contact["properties"][self._found_by])

"""HubSpot: contacts are upserted, then put on a static list by their record ids; to leave it, they are read first.

A success that speaks of nobody is none: HubSpot has answered 200 with neither results nor errors.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.contacts import Address, ContactOptions, Contacts, answers, declared, secrets
from reverse_etl.destination import (
    Change,
    Follow,
    Outcome,
    Receipt,
    Request,
    Response,
    Scalar,
    Transport,
    Verdict,
    by_status,
)
from reverse_etl.sync import Sync

WAYS = ("email", "external_id")
NAMES = {"first_name": "firstname", "last_name": "lastname"}
MOST_CONTACTS, MOST_BYTES = 100, 2_000_000
CONTACTS = "/crm/v3/objects/contacts/batch"
LOCKED, MIGRATING, TOO_MANY = 423, 477, 429
FOR_GOOD = {"VALIDATION_ERROR", "CONFLICT", "OBJECT_NOT_FOUND", "OBJECT_ALREADY_EXISTS"}


class Settings(BaseSettings):
    """HUBSPOT_ACCESS_TOKEN of a private app, and HUBSPOT_URL."""

    model_config = SettingsConfigDict(env_prefix="HUBSPOT_", extra="ignore")

    access_token: SecretStr
    url: Address = "https://api.hubapi.com"


class Options(ContactOptions):
    """`list_id` of a static list; `external_id_property`, your unique property, when found by `external_id`."""

    list_id: str = Field(pattern=r"^\d+$")
    external_id_property: str = "external_id"


def classify(response: Response) -> Verdict:
    """A property nobody made and a spent day are no row's fault."""
    if response.status in {LOCKED, MIGRATING}:
        return Verdict.BUSY
    if b"PROPERTY_DOESNT_EXIST" in response.body or (response.status == TOO_MANY and b'"DAILY"' in response.body):
        return Verdict.CONFIG
    return by_status(response)


class Destination:
    """Members are contacts on a list, found by e-mail address or a unique property."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, declared(sync, Options)
        names = {**NAMES, "external_id": self._options.external_id_property}
        self._contacts = Contacts.of(sync, self._options, WAYS, names)
        self._found_by = self._contacts.names.get(self._contacts.found_by, self._contacts.found_by)
        self._list = f"/crm/v3/lists/{self._options.list_id}"
        self.identify = self._contacts.identify
        self.spec = self._contacts.spec(MOST_CONTACTS, MOST_BYTES, classify=classify, requests_per_second=10)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            ids = [{"id": self._contacts.key(row)} for row in rows]
            body: dict[str, Any] = {"idProperty": self._found_by, "properties": [self._found_by], "inputs": ids}
            return Request(f"{CONTACTS}/read", json.dumps(body).encode())
        return Request(f"{CONTACTS}/upsert", json.dumps({"inputs": [self._input(row) for row in rows]}).encode())

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:
        """Put on the list who was upserted, or take off it who was found."""
        ids = [str(contact["id"]) for contact in response.json()["results"]] if not response.earlier else []
        if not ids:
            return None
        is_removal = rows[0].operation == "remove"
        body = {"recordIdsToAdd": [] if is_removal else ids, "recordIdsToRemove": ids if is_removal else []}
        return Follow(Request(f"{self._list}/memberships/add-and-remove", json.dumps(body).encode(), method="PUT"))

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        contacts, *listed = (answer.json() for answer in answers(response))
        record_of = {self._name(contact): str(contact["id"]) for contact in contacts["results"]}
        missing = set(map(str, listed[0]["recordIdsMissing"])) if listed else set(record_of.values())
        blamed = {id_: str(error["category"]) for error in contacts.get("errors") or [] for id_ in _named(error)}
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
        return Request(self._list, b"", method="GET")

    def size(self, response: Response) -> int | None:
        size = response.json()["list"]["additionalProperties"].get("hs_list_size")
        return None if size is None else int(size)

    def connect(self) -> AbstractContextManager[Transport]:
        found = secrets(self._sync, Settings)
        key = {"authorization": f"Bearer {found.access_token.get_secret_value()}"}
        return http.connect(found.url, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds)

    def _input(self, row: Change) -> dict[str, Any]:
        key = self._contacts.key(row)
        values = {self._found_by: key, **self._contacts.attributes(row)}
        properties = {name: _text(value) for name, value in values.items()}
        return {
            "idProperty": self._found_by,
            "id": key,
            "objectWriteTraceId": row.operation_id,
            "properties": properties,
        }

    def _name(self, contact: Mapping[str, Any]) -> str:
        return str(contact.get("objectWriteTraceId") or contact["properties"][self._found_by])


def _named(error: Mapping[str, Any]) -> list[str]:
    context = error.get("context") or {}
    return [*context.get("objectWriteTraceId", []), *context.get("ids", [])]


def _text(value: Scalar) -> str:
    """Every value is text there, and an empty one clears."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

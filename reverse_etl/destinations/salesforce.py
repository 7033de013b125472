"""Salesforce: records upserted by an external id field, 200 at a time, each with its own word.

Who leaves keeps the record and loses the flag (`member_field`), or the record is deleted when `on_removal` says so.
Either needs record ids, looked up by a query in a body: paths end up in logs. A session that ended is renewed once.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import quote, urlencode

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.contacts import Address, ContactOptions, Contacts, declared, read, secrets
from reverse_etl.destination import (
    Change,
    Follow,
    Outcome,
    Receipt,
    Request,
    Response,
    Transport,
    Verdict,
    by_status,
)
from reverse_etl.session import client_credentials, in_session
from reverse_etl.sync import Sync

WAYS = ("external_id", "email")
NAMES = {"email": "Email", "phone": "Phone", "first_name": "FirstName", "last_name": "LastName"}
MOST_RECORDS, MOST_BYTES = 200, 6_000_000
PASSING = {"UNABLE_TO_LOCK_ROW", "REQUEST_RUNNING_TOO_LONG", "SERVER_UNAVAILABLE"}
GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"}


class Settings(BaseSettings):
    """SALESFORCE_URL (your My Domain), SALESFORCE_CLIENT_ID and _CLIENT_SECRET of an app with client credentials."""

    model_config = SettingsConfigDict(env_prefix="SALESFORCE_", extra="ignore")

    url: Address
    client_id: str
    client_secret: SecretStr


class Options(ContactOptions):
    """`object`, `external_id_field` that is unique there, `member_field` (boolean), `on_removal`, `version`."""

    object: str = Field(default="Contact", pattern=r"^\w+$")
    external_id_field: str = Field(default="External_Id__c", pattern=r"^\w+$")
    member_field: str = Field(default="", pattern=r"^\w*$")
    on_removal: Literal["flag", "delete"] = "flag"
    version: str = Field(default="v60.0", pattern=r"^v\d+\.0$")

    @model_validator(mode="after")
    def _says_who_is_in(self) -> "Options":
        if self.on_removal == "flag" and not self.member_field:
            raise ValueError("name a boolean member_field, or say on_removal: delete")
        return self


def classify(response: Response) -> Verdict:
    """Errors are a list of codes; a field nobody made and a spent day are no row's fault."""
    said = read(response)
    if isinstance(said, dict) and "compositeResponse" in said:
        return by_status(replace(response, status=int(said["compositeResponse"][0]["httpStatusCode"])))
    codes = {error.get("errorCode") for error in said if isinstance(error, dict)} if isinstance(said, list) else set()
    if codes & {"REQUEST_LIMIT_EXCEEDED", "INVALID_FIELD", "INVALID_TYPE"}:
        return Verdict.CONFIG
    return Verdict.BUSY if "SERVER_TOO_BUSY" in codes else by_status(response)


class Destination:
    """Members are records, found by external id or by an e-mail address that is one."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, NAMES)
        self._path = f"/services/data/{self._options.version}/composite"
        self.identify = self._contacts.identify
        self.spec = self._contacts.spec(MOST_RECORDS, MOST_BYTES, classify=classify)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            return self._query(rows)
        id_field, flag = self._options.external_id_field, self._options.member_field
        named = NAMES.get(self._contacts.found_by, id_field)  # an address is kept as such, too
        records = [
            {
                "attributes": {"type": self._options.object},
                **self._contacts.attributes(row),
                **dict.fromkeys((named, id_field), self._contacts.key(row)),
                **({flag: True} if flag else {}),
            }
            for row in rows
        ]
        return self._all(f"/{self._options.object}/{id_field}", records)

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:
        """Unflag or delete whom the query found."""
        if rows[0].operation != "remove" or response.earlier:
            return None
        ids = [record["Id"] for record in _found(response)]
        if not ids:
            return None
        if self._options.on_removal == "delete":
            query = urlencode({"ids": ",".join(ids), "allOrNone": "false"})
            return Follow(Request(f"{self._path}/sobjects?{query}", b"", method="DELETE"))
        unflagged = {"attributes": {"type": self._options.object}, self._options.member_field: False}
        return Follow(self._all("", [{**unflagged, "id": id_} for id_ in ids]))

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = response.json()
        if rows[0].operation != "remove":
            return [_receipt(row, result) for row, result in zip(rows, said, strict=True)]
        field, found = self._options.external_id_field, _found((*response.earlier, response)[0])
        results = said if response.earlier else [{"success": False, "errors": [{"statusCode": ""}]} for _ in found]
        told = {str(r[field]).lower(): result for r, result in zip(found, results, strict=True)}
        nobody = {"success": True}  # who isn't there needn't leave
        return [_receipt(row, told.get(self._contacts.key(row).lower(), nobody)) for row in rows]

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        found, seconds = secrets(self._sync, Settings), self._options.timeout_seconds
        with http.connect("", timeout_seconds=seconds) as send:
            token = Request(f"{found.url}/services/oauth2/token", b"")
            yield in_session(send, client_credentials(send, token, found.client_id, found.client_secret))

    def _all(self, path: str, records: list[dict[str, Any]]) -> Request:
        body = {"allOrNone": False, "records": records}
        return Request(f"{self._path}/sobjects{path}", json.dumps(body).encode(), method="PATCH")

    def _query(self, rows: Sequence[Change]) -> Request:
        keys = ",".join(f"'{_escaped(self._contacts.key(row))}'" for row in rows)
        field = self._options.external_id_field
        query = quote(f"SELECT Id, {field} FROM {self._options.object} WHERE {field} IN ({keys})")
        url = f"/services/data/{self._options.version}/query/?q={query}"
        body = {"compositeRequest": [{"method": "GET", "url": url, "referenceId": "found"}]}
        return Request(self._path, json.dumps(body).encode())


def _receipt(row: Change, result: dict[str, Any]) -> Receipt:
    if result["success"]:
        return Receipt(row, Outcome.DELIVERED)
    code = str(result["errors"][0]["statusCode"])
    if row.operation == "remove" and code in GONE:
        return Receipt(row, Outcome.DELIVERED)
    outcome = Outcome.DEFERRED if code in PASSING else Outcome.REJECTED if code else Outcome.UNKNOWN
    return Receipt(row, outcome, code.lower())


def _found(response: Response) -> list[dict[str, Any]]:
    return list(response.json()["compositeResponse"][0]["body"]["records"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")

"""Salesforce: records upserted by an external id field, 200 at a time, each with its own word.

Who leaves keeps the record and loses the flag (`member_field`), or the record is deleted when `on_removal` says so.
Either needs record ids, looked up by a query in a body: paths end up in logs. A session that ended is renewed once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import Field, model_validator

from reverse_etl import settings
from reverse_etl.apis import salesforce
from reverse_etl.contacts import Contacts
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import telling
from reverse_etl.sync import Sync

WAYS = ("external_id", "email")
NAMES = {"email": "Email", "phone": "Phone", "first_name": "FirstName", "last_name": "LastName"}
MOST_RECORDS, MOST_BYTES = 200, 6_000_000
PASSING = {"UNABLE_TO_LOCK_ROW", "REQUEST_RUNNING_TOO_LONG", "SERVER_UNAVAILABLE"}
GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"}


class Options(salesforce.Options):
    """`object`, `external_id_field` that is unique there, `member_field` (boolean), `on_removal`."""

    object: str = Field(default="Contact", pattern=r"^\w+$")
    external_id_field: str = Field(default="External_Id__c", pattern=r"^\w+$")
    member_field: str = Field(default="", pattern=r"^\w*$")
    on_removal: Literal["flag", "delete"] = "flag"

    @model_validator(mode="after")
    def _says_who_is_in(self) -> "Options":
        if self.on_removal == "flag" and not self.member_field:
            raise ValueError("name a boolean member_field, or say on_removal: delete")
        return self


class Destination:
    """Members are records, found by external id or by an e-mail address that is one."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, NAMES)
        self._path = self._options.path
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.spec = self._contacts.spec(MOST_RECORDS, MOST_BYTES, classify=salesforce.classify)

    def request(self, rows: Sequence[Change]) -> Request:
        if rows[0].operation == "remove":
            keys = map(self._contacts.key, rows)
            return salesforce.find(self._path, self._options.object, self._options.external_id_field, keys)
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
        ids = [record["Id"] for record in salesforce.found_in(response)]
        if not ids:
            return None
        if self._options.on_removal == "delete":
            query = urlencode({"ids": ",".join(ids), "allOrNone": "false"})
            return Follow(Request(f"{self._path}/composite/sobjects?{query}", b"", method="DELETE"))
        unflagged = {"attributes": {"type": self._options.object}, self._options.member_field: False}
        return Follow(self._all("", [{**unflagged, "id": id_} for id_ in ids]))

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = response.json()
        if rows[0].operation != "remove":
            return [_receipt(row, result) for row, result in zip(rows, said, strict=True)]
        field, found = self._options.external_id_field, salesforce.found_in((*response.earlier, response)[0])
        results = said if response.earlier else [{"success": False, "errors": [{"statusCode": ""}]} for _ in found]
        told = {str(r[field]).lower(): result for r, result in zip(found, results, strict=True)}
        nobody = {"success": True}  # who isn't there needn't leave
        return [_receipt(row, told.get(self._contacts.key(row).lower(), nobody)) for row in rows]

    def read_back(self) -> Request:
        """Ask for all who are flagged; without a flag, for all who have an external id."""
        field, flag = self._options.external_id_field, self._options.member_field
        who = f"{flag} = true" if flag else f"{field} != null"
        return salesforce.select(self._path, f"SELECT {field} FROM {self._options.object} WHERE {who}")

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        for record in response.json()["records"]:
            yield self._contacts.member(record[self._options.external_id_field])

    def more(self, _: Request, response: Response) -> Request | None:
        return salesforce.next_page(response)

    def connect(self) -> AbstractContextManager[Transport]:
        return salesforce.connect(self._sync, self._options.timeout_seconds)

    def _all(self, path: str, records: list[dict[str, Any]]) -> Request:
        return telling(f"{self._path}/composite/sobjects{path}", {"allOrNone": False, "records": records}, "PATCH")


def _receipt(row: Change, result: dict[str, Any]) -> Receipt:
    if result["success"]:
        return Receipt(row, Outcome.DELIVERED)
    code = str(result["errors"][0]["statusCode"])
    if row.operation == "remove" and code in GONE:
        return Receipt(row, Outcome.DELIVERED)
    outcome = Outcome.DEFERRED if code in PASSING else Outcome.REJECTED if code else Outcome.UNKNOWN
    return Receipt(row, outcome, code.lower())

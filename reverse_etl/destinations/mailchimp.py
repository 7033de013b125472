"""Mailchimp: a batch of operations, one per member, whose answers are an archive to fetch when it is finished.

The synchronous call for many members sets their status and so subscribes who had unsubscribed; `status_if_new` is of
the call for one. Who leaves is archived, or loses the tag; never deleted for good: such an address can't come back.
"""

import json
import tarfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.contacts import Address, ContactOptions, Contacts, basic, declared, secrets
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport, Unreadable
from reverse_etl.normalise.hashing import mailchimp_subscriber_hash
from reverse_etl.sync import Sync

WAYS = ("email",)
NAMES = {"first_name": "FNAME", "last_name": "LNAME", "phone": "PHONE"}
MOST_MEMBERS, MOST_BYTES, LONGEST_MERGE_FIELD = 500, 4_000_000, 10
LOOPBACK = {"127.0.0.1", "localhost"}
NOT_THERE = {404, 405}  # nobody of that address, or archived already
LATER, FOR_A_PERSON, BROKEN = {429}, {401, 403}, 500


class Settings(BaseSettings):
    """MAILCHIMP_API_KEY (…-us1: its end names the data centre), MAILCHIMP_URL to go elsewhere."""

    model_config = SettingsConfigDict(env_prefix="MAILCHIMP_", extra="ignore")

    api_key: SecretStr
    url: Address | None = None

    @property
    def address(self) -> str:
        centre = self.api_key.get_secret_value().rpartition("-")[2]
        return self.url or f"https://{centre}.api.mailchimp.com/3.0"


class Options(ContactOptions):
    """`list_id`; `tag` of who is in the audience (none: to leave is to be archived); `status_if_new`.

    `status_if_new` is of members the list didn't have: `transactional` gets no campaigns, `subscribed` does, and is
    right only where the sync's consent is a subscription. The status of who is there is never touched.
    """

    list_id: str = Field(pattern=r"^\w+$")
    tag: str = ""
    status_if_new: Literal["transactional", "subscribed", "pending", "unsubscribed"] = "transactional"
    poll_seconds: float = 5


class Destination:
    """Members are found by e-mail address, named by its hash."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, NAMES)
        self.identify = self._contacts.identify
        self.spec = self._contacts.spec(MOST_MEMBERS, MOST_BYTES, requests_per_second=10)

    def request(self, rows: Sequence[Change]) -> Request:
        return Request("/batches", json.dumps({"operations": [self._operation(row) for row in rows]}).encode())

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:  # noqa: ARG002 — the contract's
        """Poll until finished, then fetch what was said of each member."""
        if _is_finished(response.earlier):
            return None
        said = response.json()
        if said["status"] != "finished":
            return Follow(Request(f"/batches/{said['id']}", b"", method="GET"), self._options.poll_seconds)
        place = urlsplit(said["response_body_url"])
        if place.scheme != "https" and place.hostname not in LOOPBACK:
            raise Unreadable("the answers are in no safe place")
        return Follow(Request(said["response_body_url"], b"", method="GET"))

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if not _is_finished(response.earlier):
            return [Receipt(row, Outcome.UNKNOWN, f"batch_{response.json()['status']}") for row in rows]
        said = {answer["operation_id"]: answer for answer in _unpacked(response.body)}
        return [_receipt(row, said[row.operation_id]) for row in rows if row.operation_id in said]

    def connect(self) -> AbstractContextManager[Transport]:
        found = secrets(self._sync, Settings)
        key = {"authorization": basic("key", found.api_key.get_secret_value())}

        def sign(request: Request) -> dict[str, str]:
            return {} if urlsplit(request.path).scheme else key  # the archive lies elsewhere, and knows who may fetch

        return http.connect(found.address, sign=sign, timeout_seconds=self._options.timeout_seconds)

    def _operation(self, row: Change) -> dict[str, Any]:
        email = self._contacts.key(row)
        member = f"/lists/{self._options.list_id}/members/{mailchimp_subscriber_hash(email)}"
        named = {"operation_id": row.operation_id}
        if row.operation == "remove" and not self._options.tag:
            return {"method": "DELETE", "path": member, **named}
        if row.operation == "remove":
            untagged = {"tags": [{"name": self._options.tag, "status": "inactive"}]}
            return {"method": "POST", "path": f"{member}/tags", "body": json.dumps(untagged), **named}
        merged = {
            name.upper()[:LONGEST_MERGE_FIELD]: "" if value is None else value
            for name, value in self._contacts.attributes(row).items()
        }
        body = {"email_address": email, "status_if_new": self._options.status_if_new, "merge_fields": merged}
        body |= {"tags": [self._options.tag]} if self._options.tag else {}
        params = {"skip_merge_validation": "true"}
        return {"method": "PUT", "path": member, "params": params, "body": json.dumps(body), **named}


def _is_finished(earlier: Sequence[Response]) -> bool:
    return bool(earlier) and earlier[-1].json()["status"] == "finished"


def _unpacked(body: bytes) -> list[dict[str, Any]]:
    try:
        with tarfile.open(fileobj=BytesIO(body), mode="r:gz") as archive:
            files = [archive.extractfile(member) for member in archive if member.isfile()]
            return [answer for file in files if file for answer in json.load(file)]
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Unreadable("the answers are no archive") from error


def _receipt(row: Change, said: dict[str, Any]) -> Receipt:
    status = int(said["status_code"])
    if 200 <= status < 300 or (row.operation == "remove" and status in NOT_THERE):  # noqa: PLR2004
        return Receipt(row, Outcome.DELIVERED)
    if status in LATER | FOR_A_PERSON or status >= BROKEN:
        return Receipt(row, Outcome.UNKNOWN if status >= BROKEN else Outcome.DEFERRED, f"http_{status}")
    title = str(json.loads(said["response"]).get("title") or status)
    return Receipt(row, Outcome.REJECTED, "_".join(title.lower().split()))

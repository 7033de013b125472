"""Mailchimp: a batch of operations, one per member, whose answers are an archive to fetch when it is finished.

The synchronous call for many members sets their status and so subscribes who had unsubscribed; `status_if_new` is of
the call for one. Who leaves is archived, or loses the tag; never deleted for good: such an address can't come back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from pydantic import Field

from reverse_etl import settings
from reverse_etl.apis import mailchimp
from reverse_etl.contacts import ContactOptions, Contacts
from reverse_etl.destination import Change, Follow, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import asked_for, asking, telling
from reverse_etl.normalise.hashing import mailchimp_subscriber_hash
from reverse_etl.sync import Sync

WAYS = ("email",)
NAMES = {"first_name": "FNAME", "last_name": "LNAME", "phone": "PHONE"}
MOST_MEMBERS, MOST_BYTES, LONGEST_MERGE_FIELD, MOST_ON_A_PAGE = 500, 4_000_000, 10, 1_000
NOT_THERE = {404, 405}  # nobody of that address, or archived already
LATER, FOR_A_PERSON, BROKEN = {429}, {401, 403}, 500


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
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._contacts = Contacts.of(sync, self._options, WAYS, NAMES)
        self._list = f"/lists/{self._options.list_id}"
        self.identify, self.known_as = self._contacts.identify, self._contacts.known_as
        self.spec = self._contacts.spec(MOST_MEMBERS, MOST_BYTES, requests_per_second=10)

    def request(self, rows: Sequence[Change]) -> Request:
        return telling("/batches", {"operations": [self._operation(row) for row in rows]})

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:  # noqa: ARG002 — the contract's
        return mailchimp.follow(response, self._options.poll_seconds)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if not mailchimp.is_finished(response.earlier):
            return [Receipt(row, Outcome.UNKNOWN, f"batch_{response.json()['status']}") for row in rows]
        said = {answer["operation_id"]: answer for answer in mailchimp.answers_in(response.body)}
        return [_receipt(row, said[row.operation_id]) for row in rows if row.operation_id in said]

    def read_back(self) -> Request:
        """Ask for the members; who has a tag, by the segment that the tag is."""
        return asking(f"{self._list}/tag-search", {"name": self._options.tag}) if self._options.tag else self._page()

    def held(self, response: Response) -> Iterator[Mapping[str, str]]:
        for member in response.json().get("members", []):
            yield self._contacts.member(member["email_address"])

    def more(self, asked: Request, response: Response) -> Request | None:
        said, path = response.json(), asked.path.partition("?")[0]
        if "tags" in said:
            segments = [tag["id"] for tag in said["tags"] if tag["name"] == self._options.tag]
            return self._page(f"/segments/{segments[0]}") if segments else None
        start = int(asked_for(asked.path, "offset")) + len(said["members"])
        is_last = not said["members"] or start >= int(said["total_items"])
        return None if is_last else self._page(path.removeprefix(self._list).removesuffix("/members"), start)

    def connect(self) -> AbstractContextManager[Transport]:
        return mailchimp.connect(self._sync, self._options.timeout_seconds)

    def _page(self, of: str = "", start: int = 0) -> Request:
        query = {"fields": "members.email_address,total_items", "count": MOST_ON_A_PAGE, "offset": start}
        everybody = dict.fromkeys(("include_transactional", "include_unsubscribed", "include_cleaned"), "true")
        return asking(f"{self._list}{of}/members", {**query, **everybody} if of else query)

    def _operation(self, row: Change) -> dict[str, Any]:
        email = self._contacts.key(row)
        member = f"{self._list}/members/{mailchimp_subscriber_hash(email)}"
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


def _receipt(row: Change, said: dict[str, Any]) -> Receipt:
    status = int(said["status_code"])
    if 200 <= status < 300 or (row.operation == "remove" and status in NOT_THERE):  # noqa: PLR2004
        return Receipt(row, Outcome.DELIVERED)
    if status in LATER | FOR_A_PERSON or status >= BROKEN:
        return Receipt(row, Outcome.UNKNOWN if status >= BROKEN else Outcome.DEFERRED, f"http_{status}")
    title = str(json.loads(said["response"]).get("title") or status)
    return Receipt(row, Outcome.REJECTED, "_".join(title.lower().split()))

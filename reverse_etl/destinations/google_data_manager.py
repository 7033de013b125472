"""Google Customer Match through the Data Manager API: people on a user list, for ads in Search, YouTube and Display.

Google takes a request whole or not at all and names the rows that spoil it; what it finds out later it only counts,
so a request of which some failed is split. A request that takes longer than we ask counts as taken.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from pydantic import Field

from reverse_etl import settings
from reverse_etl.ads.people import People
from reverse_etl.apis import google
from reverse_etl.destination import Change, Follow, Receipt, Request, Response, Transport
from reverse_etl.exchange import asking, telling
from reverse_etl.read_back import Tells
from reverse_etl.sync import Sync

# A list takes one kind of identifiers, chosen when it is made.
KINDS = {
    "contact": ("email", "phone", "first_name", "last_name", "zip", "country"),
    "mobile_ad_id": ("mobile_ad_id",),
    "external_id": ("external_id",),
}


class Options(google.Options):
    """`list_id`: the user list; `match_by`: what it was made for.

    `customer_match_terms: accepted` is yours to say: each request tells Google that you accepted its terms.
    """

    list_id: str = Field(pattern=r"^\d+$")
    match_by: Literal["contact", "mobile_ad_id", "external_id"] = "contact"
    customer_match_terms: Literal["accepted"]
    batch_rows: int = Field(default=10_000, ge=1, le=10_000)


class Destination:
    """Members are found by contact data, by an advertising id or by your own id: one of these per list."""

    tells = Tells.MATCHED

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.account = "google"
        google.for_advertising_only(sync)
        people = People.of(sync, self.account, KINDS[self._options.match_by])
        self.identify = people.identify
        self.spec = people.spec(
            self._options.batch_rows, classify=google.classify, smallest_audience=100, requests_per_second=5
        )

    def request(self, rows: Sequence[Change]) -> Request:
        body = self._options.envelope(self._options.list_id)
        body["audienceMembers"] = [self._member(row) for row in rows]
        if self._options.match_by == "contact":
            body["encoding"] = "HEX"
        if rows[0].operation == "remove":
            return telling("/v1/audienceMembers:remove", body)
        body["consent"] = google.GRANTED
        body["termsOfService"] = {"customerMatchTermsOfServiceStatus": self._options.customer_match_terms.upper()}
        return telling("/v1/audienceMembers:ingest", body)

    def follow(self, rows: Sequence[Change], response: Response) -> Follow | None:  # noqa: ARG002 — the contract's
        return google.follow(self._options, response)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        return google.outcomes(rows, response)

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        return google.pointer(rows, response)

    def read_back(self) -> Request:
        owner = f"/v1/accountTypes/{self._options.account_type}/accounts/{self._options.operating_account}"
        return asking(f"{owner}/userLists/{self._options.list_id}")

    def size(self, response: Response) -> int | None:
        """People Google recognised and can show ads to, in the largest of its networks."""
        said = response.json().get("sizeInfo") or {}
        return max((int(count) for count in said.values()), default=None)

    def connect(self) -> AbstractContextManager[Transport]:
        return google.connect(self._sync, self._options.timeout_seconds)

    def _member(self, row: Change) -> dict[str, Any]:
        match self._options.match_by:
            case "mobile_ad_id":
                return {"mobileData": {"mobileIds": [row.identifiers["mobile_ad_id"]]}}
            case "external_id":
                return {"userIdData": {"userId": row.identifiers["external_id"]}}
        return {"userData": {"userIdentifiers": google.user_identifiers(row.identifiers)}}

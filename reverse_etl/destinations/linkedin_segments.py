"""LinkedIn Matched Audiences: a DMP segment of users, found by hashed e-mail address or by advertising id.

LinkedIn answers for each row. A new segment isn't there for a minute or two: 404 means later. Names, which it takes
only readable, are not sent.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from pydantic import Field

from reverse_etl import settings
from reverse_etl.ads.people import People
from reverse_etl.apis import linkedin
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Transport, Verdict, by_status
from reverse_etl.exchange import asking, telling
from reverse_etl.read_back import Tells
from reverse_etl.sync import BadDeclaration, Sync

ID_TYPES = {"email": "SHA256_EMAIL", "aaid": "GOOGLE_AID"}


class Options(linkedin.Options):
    """`segment_id` or `ad_account`."""

    batch_rows: int = Field(default=5_000, ge=1, le=5_000)


class Destination:
    """Members are users of a segment."""

    tells = Tells.MATCHED

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.account = "linkedin"
        if bool(self._options.segment_id) == bool(self._options.ad_account):
            raise BadDeclaration(f"{sync.name}: options: give segment_id or ad_account")
        people = People.of(sync, self.account, tuple(ID_TYPES))
        self.identify = people.identify
        self.spec = people.spec(
            self._options.batch_rows, classify=linkedin.classify, smallest_audience=300, requests_per_second=10
        )

    def request(self, rows: Sequence[Change]) -> Request:
        action = "REMOVE" if rows[0].operation == "remove" else "ADD"
        elements = [
            {
                "action": action,
                "userIds": [
                    {"idType": type_, "idValue": row.identifiers[name]}
                    for name, type_ in ID_TYPES.items()
                    if name in row.identifiers
                ],
            }
            for row in rows
        ]
        told = telling(f"/dmpSegments/{linkedin.SEGMENT}/users", {"elements": elements})
        return replace(told, headers={"x-restli-method": "BATCH_CREATE"})

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = [int(element["status"]) for element in response.json()["elements"]]
        if len(said) != len(rows):
            return [Receipt(row, Outcome.UNKNOWN, "another_number_of_elements") for row in rows]
        return [Receipt(row, _outcome(status), f"status_{status}") for row, status in zip(rows, said, strict=True)]

    def read_back(self) -> Request:
        return asking(f"/dmpSegments/{linkedin.SEGMENT}")

    def size(self, response: Response) -> int | None:
        """People LinkedIn recognised and can show ads to; its `matchedCount` is of the last seven days only."""
        counts = [place.get("audienceSize") for place in response.json().get("destinations") or []]
        return max((int(count) for count in counts if count is not None), default=None)

    def connect(self) -> AbstractContextManager[Transport]:
        return linkedin.connect(self._sync, self._options)


def _outcome(status: int) -> Outcome:
    """Read the status of one row in the way of HTTP."""
    verdict = Verdict.BUSY if status in linkedin.LATER else by_status(Response(status))
    if verdict is Verdict.ANSWERED:
        return Outcome.DELIVERED
    return Outcome.REJECTED if verdict is Verdict.REFUSED else Outcome.DEFERRED

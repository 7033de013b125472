"""LinkedIn Matched Audiences: a DMP segment of users, found by hashed e-mail address or by advertising id.

LinkedIn answers for each row. A new segment isn't there for a minute or two: 404 means later. Names, which it takes
only readable, are not sent.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from pydantic import Field

from reverse_etl.ads import account, linkedin
from reverse_etl.destination import (
    Change,
    Outcome,
    Receipt,
    Request,
    Response,
    Scalar,
    Spec,
    Transport,
    Verdict,
    by_status,
)
from reverse_etl.normalise import Identified, identify, read_options
from reverse_etl.sync import BadDeclaration, Sync

ID_TYPES = {"email": "SHA256_EMAIL", "aaid": "GOOGLE_AID"}


class Options(linkedin.Options):
    """`segment_id` or `ad_account`."""

    batch_rows: int = Field(default=5_000, ge=1, le=5_000)


class Destination:
    """Members are users of a segment."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, account.declared(sync, Options)
        self._rules = read_options(sync, "linkedin")
        self.account = "linkedin"
        if bool(self._options.segment_id) == bool(self._options.ad_account):
            raise BadDeclaration(f"{sync.name}: options: give segment_id or ad_account")
        names = tuple(name for name in ID_TYPES if name in sync.names)
        if not names:
            raise BadDeclaration(f"{sync.name}: {sync.destination} needs a column mapped to email or aaid")
        self.spec = Spec(
            batch_rows=self._options.batch_rows,
            identifiers=names,
            platform="linkedin",
            hash_only=True,
            classify=linkedin.classify,
            smallest_audience=300,
            requests_per_second=10,
        )

    def identify(self, fields: Mapping[str, Scalar]) -> Identified:
        return identify("linkedin", {name: fields[name] for name in ID_TYPES if name in fields}, self._rules)

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
        headers = {"x-restli-method": "BATCH_CREATE"}
        return Request(
            f"/dmpSegments/{linkedin.SEGMENT}/users", json.dumps({"elements": elements}).encode(), headers=headers
        )

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = [int(element["status"]) for element in response.json()["elements"]]
        if len(said) != len(rows):
            return [Receipt(row, Outcome.UNKNOWN, "another_number_of_elements") for row in rows]
        return [Receipt(row, _outcome(status), f"status_{status}") for row, status in zip(rows, said, strict=True)]

    def connect(self) -> AbstractContextManager[Transport]:
        return linkedin.connect(self._sync, self._options)


def _outcome(status: int) -> Outcome:
    """Read the status of one row in the way of HTTP."""
    verdict = Verdict.BUSY if status in linkedin.LATER else by_status(Response(status))
    if verdict is Verdict.ANSWERED:
        return Outcome.DELIVERED
    return Outcome.REJECTED if verdict is Verdict.REFUSED else Outcome.DEFERRED

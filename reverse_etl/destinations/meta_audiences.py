"""Meta Custom Audiences: hashes of people added to and removed from a list, for ads on Facebook and Instagram.

Meta says how many rows it got and how many were wrong, seldom which: a request with some wrong ones is split. An
audience may not shrink below about a hundred people by removals: those stay due, and the report says so.
"""

import json
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from pydantic import Field

from reverse_etl import settings
from reverse_etl.ads.people import People
from reverse_etl.apis import meta
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Transport
from reverse_etl.exchange import asking, telling
from reverse_etl.read_back import Tells
from reverse_etl.sync import BadDeclaration, Sync

KEYS = {  # Meta's names, in the order of its documentation
    "external_id": "EXTERN_ID",
    "email": "EMAIL",
    "phone": "PHONE",
    "gender": "GEN",
    "birth_year": "DOBY",
    "birth_month": "DOBM",
    "birth_day": "DOBD",
    "last_name": "LN",
    "first_name": "FN",
    "first_initial": "FI",
    "city": "CT",
    "state": "ST",
    "zip": "ZIP",
    "country": "COUNTRY",
    "mobile_ad_id": "MADID",
}


class Options(settings.Options):
    """`value_based`: the audience was made to take values; the field `value` ranks people for lookalikes."""

    audience_id: str = Field(pattern=r"^\d+$")
    value_based: bool = False
    limited_data_use: meta.LimitedUse = ""  # under CCPA; of everybody in the sync
    batch_rows: int = Field(default=10_000, ge=1, le=10_000)


class Destination:
    """Members are rows of identifiers, removed by exactly those they were added with."""

    tells = Tells.MATCHED

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.account = "meta"
        if self._options.value_based and "value" not in sync.names:
            raise BadDeclaration(f"{sync.name}: options.value_based needs a column mapped to value")
        people = People.of(sync, self.account)
        self.identify = people.identify
        self.spec = people.spec(
            self._options.batch_rows,
            batch_bytes=1_000_000,
            classify=meta.classify_upload,
            smallest_audience=100,
            requests_per_second=10,
        )

    def request(self, rows: Sequence[Change]) -> Request:
        names = [name for name in KEYS if any(name in row.identifiers for row in rows)]
        schema = [KEYS[name] for name in names]
        data: list[list[Any]] = [[row.identifiers.get(name, "") for name in names] for row in rows]
        is_removal = rows[0].operation == "remove"
        if self._options.value_based and not is_removal:
            schema.append("LOOKALIKE_VALUE")
            for cells, row in zip(data, rows, strict=True):
                cells.append(max(0.0, float(row.fields.get("value") or 0)))
        if self._options.limited_data_use and not is_removal:
            schema += meta.LIMITED_KEYS
            data = [[*cells, *meta.LIMITED[self._options.limited_data_use]] for cells in data]
        payload = {"schema": schema, "data": data, "is_raw": False}
        path, method = f"/{self._options.audience_id}/users", "DELETE" if is_removal else "POST"
        return telling(path, {"payload": payload}, method)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        said = response.json()
        outcome, code = Outcome.DELIVERED, ""
        if "error" in said:
            outcome, code = Outcome.DEFERRED, "low_audience_size"
        elif int(said["num_received"]) != len(rows):
            outcome, code = Outcome.UNKNOWN, "another_number_received"
        elif int(said["num_invalid_entries"]):
            outcome, code = Outcome.REJECTED, "invalid_entry"
        return [Receipt(row, outcome, code) for row in rows]

    def pointer(self, rows: Sequence[Change], response: Response) -> Sequence[int]:
        """Find rows among the samples of wrong ones; Meta shows at most a hundred."""
        samples = set(re.findall(r'"([^"]*)"', json.dumps(response.json().get("invalid_entry_samples") or {})))
        return [place for place, row in enumerate(rows) if samples.intersection(map(str, row.identifiers.values()))]

    def read_back(self) -> Request:
        return asking(f"/{self._options.audience_id}", {"fields": "approximate_count_lower_bound"})

    def size(self, response: Response) -> int | None:
        """People Meta has matched, roughly and after a day; it doesn't say for small audiences."""
        count = response.json().get("approximate_count_lower_bound")
        return int(count) if count is not None and int(count) >= 0 else None

    def connect(self) -> AbstractContextManager[Transport]:
        return meta.connect(self._sync, self._options.timeout_seconds)

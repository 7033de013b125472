"""Meta Custom Audiences: hashes of people added to and removed from a list, for ads on Facebook and Instagram.

Meta says how many rows it got and how many were wrong, seldom which: a request with some wrong ones is split. An
audience may not shrink below about a hundred people by removals: those stay due, and the report says so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from pydantic import Field

from reverse_etl.ads import account, meta
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Spec, Transport, Verdict
from reverse_etl.normalise import Identified, identify, read_options
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
LIMITED_KEYS = ["DATA_PROCESSING_OPTIONS", "DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE"]
LIMITED: Mapping[str, list[Any]] = {"where_required": [["LDU"], 0, 0], "california": [["LDU"], 1, 1000]}
TOO_SMALL = "low audience size"


class Options(account.Options):
    """`value_based`: the audience was made to take values; the field `value` ranks people for lookalikes."""

    audience_id: str = Field(pattern=r"^\d+$")
    value_based: bool = False
    limited_data_use: Literal["", "where_required", "california"] = ""  # under CCPA; of everybody in the sync
    batch_rows: int = Field(default=10_000, ge=1, le=10_000)


class Destination:
    """Members are rows of identifiers, removed by exactly those they were added with."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, account.declared(sync, Options)
        self._rules = read_options(sync, "meta")
        self.account = "meta"
        if self._options.value_based and "value" not in sync.names:
            raise BadDeclaration(f"{sync.name}: options.value_based needs a column mapped to value")
        self.spec = Spec(
            batch_rows=self._options.batch_rows,
            batch_bytes=1_000_000,
            platform="meta",
            hash_only=True,
            classify=classify,
            smallest_audience=100,
            requests_per_second=10,
        )

    def identify(self, fields: Mapping[str, Any]) -> Identified:
        return identify("meta", {name: value for name, value in fields.items() if name != "value"}, self._rules)

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
            schema += LIMITED_KEYS
            data = [[*cells, *LIMITED[self._options.limited_data_use]] for cells in data]
        payload = {"schema": schema, "data": data, "is_raw": False}
        path, method = f"/{self._options.audience_id}/users", "DELETE" if is_removal else "POST"
        return Request(path, json.dumps({"payload": payload}).encode(), method)

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
        return Request(f"/{self._options.audience_id}?fields=approximate_count_lower_bound", b"", "GET")

    def size(self, response: Response) -> int | None:
        """People Meta has matched, roughly and after a day; it doesn't say for small audiences."""
        count = response.json().get("approximate_count_lower_bound")
        return int(count) if count is not None and int(count) >= 0 else None

    def connect(self) -> AbstractContextManager[Transport]:
        return meta.connect(self._sync, self._options.timeout_seconds)


def classify(response: Response) -> Verdict:
    """Some wrong rows are a refusal to be split: to add the others twice changes nothing."""
    if TOO_SMALL in str(meta.error_of(response).get("message")).lower():
        return Verdict.ANSWERED
    verdict = meta.classify(response)
    try:
        said = json.loads(response.body)
        is_mixed = 0 < int(said["num_invalid_entries"]) < int(said["num_received"])
    except (ValueError, LookupError, TypeError):
        return verdict
    return Verdict.REFUSED if is_mixed and verdict is Verdict.ANSWERED else verdict

"""Resend: one e-mail for each row, to `email`, with `subject`, `text` and, if mapped, `html`.

Its key of idempotency is the operation id, and it remembers one for 24 hours: what may have arrived is asked for again
under the same key and sent once, while that memory lasts (`remembers_seconds`). A key that was used with another
text says that the earlier one was taken.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Spec, Transport, Verdict
from reverse_etl.destination import by_status as by_http
from reverse_etl.exchange import read
from reverse_etl.sync import BadDeclaration, Sync

TAKEN_BEFORE, IN_PROGRESS = "invalid_idempotent_request", "concurrent_idempotent_requests"
SENDER = {"invalid_from_address", "invalid_access", "restricted_api_key", "invalid_api_key", "missing_api_key"}
CONFLICT, FORBIDDEN = 409, 403


class Settings(settings.Settings, env_prefix="RESEND_"):
    """RESEND_API_KEY, and RESEND_URL."""

    api_key: SecretStr
    url: settings.Address = "https://api.resend.com"


class Options(settings.Options):
    """`from`: the sender, of a domain that is verified there; `reply_to`; `requests_per_second` of your plan (2)."""

    sender: str = Field(alias="from", pattern=r"^[^\r\n]*[^@\s<]+@[^@\s>]+>?$")
    reply_to: str = ""
    requests_per_second: float = Field(default=2, gt=0)


def classify(response: Response) -> Verdict:
    """A name says whose fault it is."""
    name = _name(response)
    if response.status == CONFLICT:
        return Verdict.ANSWERED if name == TAKEN_BEFORE else Verdict.BROKEN
    if name in SENDER or response.status == FORBIDDEN:
        return Verdict.AUTH
    return by_http(response)


class Destination:
    """Messages are told apart by the sync's key."""

    remembers_seconds = 23 * 3_600

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        if sync.mode != "append_events":
            raise BadDeclaration(f"{sync.name}: mode: a mail can't be taken back, resend is append_events")
        self.spec = Spec(
            batch_rows=1,
            batch_bytes=1_000_000,
            identifiers=("email",),
            required=("email", "subject", "text"),
            platform="resend",
            honours_operation_ids=True,
            is_set=False,
            classify=classify,
            requests_per_second=self._options.requests_per_second,
        )

    def request(self, rows: Sequence[Change]) -> Request:
        (row,) = rows
        body = {
            "from": self._options.sender,
            "to": [row.identifiers["email"]],
            "reply_to": self._options.reply_to or None,
            **{part: row.fields.get(part) for part in ("subject", "text", "html")},
        }
        filled = {name: value for name, value in body.items() if value is not None}
        return Request("/emails", json.dumps(filled).encode(), headers={"idempotency-key": row.operation_id})

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        (row,) = rows
        if response.status == CONFLICT or response.json()["id"]:
            return [Receipt(row, Outcome.DELIVERED)]
        return []

    def connect(self) -> AbstractContextManager[Transport]:
        found = settings.secrets(self._sync, Settings)
        key = {"authorization": f"Bearer {found.api_key.get_secret_value()}"}
        return http.connect(found.url, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds)


def _name(response: Response) -> str:
    said = read(response) if response.status >= 400 else None  # noqa: PLR2004
    return str(said.get("name", "")) if isinstance(said, dict) else ""

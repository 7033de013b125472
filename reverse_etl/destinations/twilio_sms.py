"""Twilio: one text message for each row, to `phone`, in the words of `text`.

Twilio has no idempotency: what may have been sent is not sent again, and a message can't be taken back. So a sync to
it is `mode: append_events`, and its key says which message a row is. Who answered STOP is rejected (`opted_out`).
Whether the phone got it, Twilio tells `status_callback` later; delivered here means: Twilio took it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from urllib.parse import urlencode

from pydantic import Field, SecretStr, model_validator

from reverse_etl import http, once_only, settings
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Scalar, Transport, Verdict, by_status
from reverse_etl.exchange import basic, read
from reverse_etl.normalise import Identified, identify, read_options
from reverse_etl.sync import Sync

ROW_CODES = {
    21211: "invalid_number",
    21214: "unreachable_number",
    21408: "country_not_enabled",
    21602: "no_text",
    21610: "opted_out",
    21612: "no_route",
    21614: "no_mobile_number",
    21617: "text_too_long",
}
SENDER_CODES = {21212, 21603, 21606, 21607, 21659, 21660, 21701, 21703}
TAKEN = {"accepted", "queued", "scheduled", "sending", "sent", "delivered"}
QUEUE_FULL, TOO_MANY = 21611, 20429


class Settings(settings.Settings, env_prefix="TWILIO_"):
    """TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, and TWILIO_URL."""

    account_sid: str = Field(pattern=r"^AC\w+$")
    auth_token: SecretStr
    url: settings.Address = "https://api.twilio.com"


class Options(settings.Options):
    """`from_number` or `messaging_service_sid`; `validity_seconds`: after them it is not worth sending any more."""

    from_number: str = ""
    messaging_service_sid: str = ""
    validity_seconds: int | None = Field(default=None, ge=1, le=36_000)
    status_callback: str = ""
    cost_per_message: float = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _has_a_sender(self) -> "Options":
        if bool(self.from_number) == bool(self.messaging_service_sid):
            raise ValueError("name a from_number or a messaging_service_sid, and not both")
        return self


def classify(response: Response) -> Verdict:
    """A code says whose fault it is: the row's, the sender's, or the moment's."""
    code = _code(response)
    if code in ROW_CODES:
        return Verdict.ANSWERED
    if code in SENDER_CODES:
        return Verdict.CONFIG
    return Verdict.BUSY if code in {QUEUE_FULL, TOO_MANY} else by_status(response)


class Destination:
    """Messages are told apart by the sync's key."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self._spelling = read_options(sync, "twilio")
        self.spec = once_only.spec(
            sync,
            batch_rows=1,
            batch_bytes=10_000,
            identifiers=("phone",),
            required=("phone", "text"),
            classify=classify,
            cost_per_row=self._options.cost_per_message,
        )

    def identify(self, fields: Mapping[str, Scalar]) -> Identified:
        return identify("twilio", {"phone": fields.get("phone")}, self._spelling)

    def request(self, rows: Sequence[Change]) -> Request:
        (row,) = rows
        form = {
            "To": row.identifiers["phone"],
            "From": self._options.from_number,
            "MessagingServiceSid": self._options.messaging_service_sid,
            "Body": row.fields["text"],
            "ValidityPeriod": self._options.validity_seconds,
            "StatusCallback": self._options.status_callback,
        }
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        return Request("/Messages.json", body, headers={"content-type": "application/x-www-form-urlencoded"})

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        (row,) = rows
        if number := _code(response):
            return [Receipt(row, Outcome.REJECTED, ROW_CODES[number])]
        said = response.json()
        if said["sid"] and said["status"] in TAKEN:
            return [Receipt(row, Outcome.DELIVERED)]
        return [Receipt(row, Outcome.REJECTED, f"twilio_{said.get('error_code') or said['status']}")]

    def connect(self) -> AbstractContextManager[Transport]:
        found = settings.secrets(self._sync, Settings)
        key = {"authorization": basic(found.account_sid, found.auth_token.get_secret_value())}
        address = f"{found.url}/2010-04-01/Accounts/{found.account_sid}"
        return http.connect(address, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds)


def _code(response: Response) -> int | None:
    """Read Twilio's number of the error; None for what is no error of Twilio's."""
    said = read(response) if response.status >= 400 else None  # noqa: PLR2004
    return said.get("code") if isinstance(said, dict) else None

"""Twilio's messages: one text to one number, Twilio's own numbers for tests, and who answered STOP.

Account ACsandbox, token sandbox. Documents of the kind `opted_out` name numbers, beside +15005550004.
"""

import base64
import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

SID, TOKEN = "ACsandbox", "sandbox"
KEY = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
E164 = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_TEXT, LONGEST_VALIDITY = 1_600, 36_000
TO = {
    "+15005550001": (21211, "is not a valid phone number"),
    "+15005550002": (21612, "is not currently reachable"),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "is not a mobile number"),
}
FROM = {
    "+15005550001": (21212, "is not a valid phone number"),
    "+15005550007": (21606, "is not a valid, SMS-capable number of your account"),
    "+15005550008": (21611, "has exceeded the maximum number of queued messages"),
}
CODES = {401: 20003, 429: 20429, 500: 20500, 503: 20503}


class Vendor:
    """Kinds: messages (by sid), opted_out (by number)."""

    name = "twilio"
    environment: ClassVar[Mapping[str, str]] = {
        "TWILIO_URL": "{url}",
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }

    def handle(self, request: Call, store: Store) -> Answer:
        if request.headers.get("authorization") != KEY:
            return _error(401, 20003, "Authenticate")
        if (request.method, request.path) != ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json"):
            return _error(404, 20404, "The requested resource was not found")
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _error(400, 21604, "A 'To' phone number is required.")  # a body that is no form is empty
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        wrong = _wrong(form, store)
        return _error(429 if wrong[0] == 21611 else 400, *wrong) if wrong else _queued(form, store)  # noqa: PLR2004

    def failing(self, status: int, seconds: float) -> Answer:
        waits = {"retry-after": f"{seconds:.0f}"} if seconds else {}
        return Answer(status, _error(status, CODES.get(status, 20001), "Injected").json, headers=waits)


def _error(status: int, code: int, message: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer(status, {"code": code, "message": message, "more_info": more, "status": status})


def _wrong(form: dict[str, str], store: Store) -> tuple[int, str] | None:
    to, text = form.get("To", ""), form.get("Body", "")
    flaws = (
        (not to, 21604, "A 'To' phone number is required."),
        (not E164.fullmatch(to), 21211, "The 'To' number is not a valid phone number."),
        (not text, 21602, "Message body is required."),
        (len(text) > LONGEST_TEXT, 21617, "The concatenated message body exceeds the 1600 character limit."),
        (not form.keys() & {"From", "MessagingServiceSid"}, 21603, "A 'From' phone number is required."),
        (not 0 < int(form.get("ValidityPeriod", 1)) <= LONGEST_VALIDITY, 21624, "The validity period is out of range."),
        (store.get("opted_out", to) is not None, *TO["+15005550004"]),
    )
    found = next(((code, message) for is_wrong, code, message in flaws if is_wrong), None)
    return found or FROM.get(form.get("From", "")) or TO.get(to)


def _queued(form: dict[str, str], store: Store) -> Answer:
    sid = f"SM{store.count('messages') + 1:032x}"
    store.put("messages", sid, {"to": form["To"], "body": form["Body"], "from": form.get("From")})
    return Answer(201, {"sid": sid, "status": "queued", "error_code": None, "error_message": None, "to": form["To"]})

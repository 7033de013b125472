"""Meta's Graph API: an access token, errors by code, and how long it says to wait."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from pydantic import SecretStr

from reverse_etl import http, settings
from reverse_etl.destination import Request, Response, Transport, Verdict, by_status
from reverse_etl.normalise.hashing import meta_appsecret_proof
from reverse_etl.sync import Sync

USAGE = "x-business-use-case-usage"
MINUTES = "estimated_time_to_regain_access"
AUTH = {102, 190}
TRANSIENT = {1, 2, 341, 368, 5000, 21_009}
THROTTLED = {4, 17, 32, 613, *range(80_000, 80_015)}
REPLACING = 2650  # somebody replaces the whole audience: over within 90 minutes
TOO_SMALL = "low audience size"  # what is left after a removal
TOO_OLD = 2_804_003
BAD_EVENT = range(2_804_000, 2_805_000)  # subcodes; only events are refused for one of their rows


# Limited data use under CCPA: where Meta finds that it applies, or as if everybody lived in California.
LimitedUse = Literal["", "where_required", "california"]
LIMITED: Mapping[str, tuple[list[str], int, int]] = {
    "where_required": (["LDU"], 0, 0),
    "california": (["LDU"], 1, 1000),
}
LIMITED_KEYS = ["DATA_PROCESSING_OPTIONS", "DATA_PROCESSING_OPTIONS_COUNTRY", "DATA_PROCESSING_OPTIONS_STATE"]


class Settings(settings.Settings, env_prefix="META_"):
    """META_ACCESS_TOKEN of a system user; META_APP_SECRET where the app demands a proof of it; META_URL."""

    access_token: SecretStr
    app_secret: SecretStr | None = None
    url: settings.Address = "https://graph.facebook.com/v25.0"


def error_of(response: Response) -> Mapping[str, Any]:
    """Give Meta's error, empty when there is none or somebody else answered."""
    try:
        error = json.loads(response.body)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def classify(response: Response) -> Verdict:
    """Go by Meta's code, not by the status: it says "too many" with 400. An error we don't know blames no row."""
    error = error_of(response)
    if not error:
        is_a_page = 400 <= response.status < 500 and b"<html" in response.body.lower()  # noqa: PLR2004 — some proxy's
        return Verdict.BROKEN if is_a_page else by_status(response)
    code, subcode = error.get("code"), error.get("error_subcode")
    if code in THROTTLED or code == REPLACING:
        return Verdict.BUSY
    if code in AUTH:
        return Verdict.AUTH
    if code in TRANSIENT or error.get("is_transient") is True or response.status >= 500:  # noqa: PLR2004
        return Verdict.BROKEN
    return Verdict.REFUSED if subcode in BAD_EVENT else Verdict.CONFIG


def classify_upload(response: Response) -> Verdict:
    """Some wrong rows are a refusal to be split: to add the others twice changes nothing."""
    if TOO_SMALL in str(error_of(response).get("message")).lower():
        return Verdict.ANSWERED
    verdict = classify(response)
    try:
        said = json.loads(response.body)
        is_mixed = 0 < int(said["num_invalid_entries"]) < int(said["num_received"])
    except (ValueError, LookupError, TypeError):
        return verdict
    return Verdict.REFUSED if is_mixed and verdict is Verdict.ANSWERED else verdict


def too_old_at(response: Response) -> datetime | None:
    """Tell the time at Meta when it refused an event as too old."""
    if error_of(response).get("error_subcode") != TOO_OLD or "date" not in response.headers:
        return None
    return parsedate_to_datetime(response.headers["date"])


@contextmanager
def connect(sync: Sync, timeout_seconds: float) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    token = found.access_token.get_secret_value()
    proof = meta_appsecret_proof(found.app_secret.get_secret_value(), token) if found.app_secret else ""
    key = {"authorization": f"Bearer {token}"}
    with http.connect(found.url, sign=lambda _: key, timeout_seconds=timeout_seconds) as send:

        def sent(request: Request) -> Response:
            joined = "&" if "?" in request.path else "?"
            path = f"{request.path}{joined}appsecret_proof={proof}" if proof else request.path
            return with_wait(send(replace(request, path=path)))

        yield sent


def with_wait(response: Response) -> Response:
    """Say in HTTP's words how long Meta says to wait: it counts in minutes, in a header of its own."""
    minutes = 0.0
    if USAGE in response.headers and classify(response) is Verdict.BUSY:
        with suppress(ValueError, TypeError, AttributeError):
            usages = [usage for account in json.loads(response.headers[USAGE]).values() for usage in account]
            minutes = max((float(usage.get(MINUTES) or 0) for usage in usages), default=0.0)
    if not minutes:
        return response
    return replace(response, headers={**response.headers, "retry-after": f"{minutes * 60:.0f}"})

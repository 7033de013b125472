"""Google's Data Manager API: a token, whose account, refusals that point at rows, jobs that end with counts."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr, field_validator

from reverse_etl import http, settings
from reverse_etl.destination import (
    Change,
    DestinationRefused,
    Follow,
    NotSent,
    Outcome,
    Receipt,
    Request,
    Response,
    Scalar,
    Transport,
    Verdict,
    by_status,
)
from reverse_etl.sync import BadDeclaration, Sync

GRANTED = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
ROW = re.compile(r"(?:audience_members|audienceMembers|events)\[(\d+)\]")
# What is wrong with the request, not with the row it was noticed at.
NOT_A_ROWS = re.compile(
    r"TOO_MANY_(AUDIENCE_MEMBERS|EVENTS|DESTINATIONS)|.*(USER_LIST|DESTINATION|PERMISSION|TERMS|MISMATCH|ACCOUNT).*|"
    r"MULTIPLE_DATA_TYPES_NOT_ALLOWED|NOT_FOUND|INVALID_ENCODING|"
)
REASON = "PROCESSING_ERROR_REASON_"
KNOWN_ALREADY = {f"{REASON}DUPLICATE_TRANSACTION_ID", f"{REASON}DUPLICATE_GCLID"}
EARLY_SECONDS, LONGEST_WAIT_SECONDS = 120, 60.0


class Settings(settings.Settings, env_prefix="GOOGLE_"):
    """GOOGLE_ACCESS_TOKEN, or GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET and GOOGLE_REFRESH_TOKEN; GOOGLE_URL.

    The scope is https://www.googleapis.com/auth/datamanager. GOOGLE_QUOTA_PROJECT: whose quota a user's token uses.
    """

    access_token: SecretStr | None = None
    client_id: str = ""
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    quota_project: str = ""
    url: settings.Address = "https://datamanager.googleapis.com"
    token_url: settings.Address = "https://oauth2.googleapis.com/token"  # noqa: S105 — an address

    @property
    def is_complete(self) -> bool:
        return bool(self.access_token or (self.client_id and self.client_secret and self.refresh_token))


class Options(settings.Options):
    """Whose account, by its number with or without hyphens; `login_account` when a manager's credentials are used.

    A request is asked after `polls` times at most, then counts as taken: Google may work on it for hours.
    """

    operating_account: str = Field(pattern=r"^\d+$")
    login_account: str = Field(default="", pattern=r"^\d*$")
    account_type: Literal["GOOGLE_ADS", "DISPLAY_VIDEO_PARTNER", "DISPLAY_VIDEO_ADVERTISER"] = "GOOGLE_ADS"
    polls: int = Field(default=6, ge=0)
    poll_seconds: float = Field(default=2, ge=0)

    @field_validator("operating_account", "login_account", mode="before")
    @classmethod
    def _without_hyphens(cls, number: Any) -> str:
        return str(number).replace("-", "")

    def envelope(self, product: str) -> dict[str, Any]:
        """What every request begins with: where its rows go."""
        place: dict[str, Any] = {"operatingAccount": self._account(self.operating_account)}
        if self.login_account:
            place["loginAccount"] = self._account(self.login_account)
        return {"destinations": [{**place, "productDestinationId": product}]}

    def _account(self, number: str) -> dict[str, str]:
        return {"accountType": self.account_type, "accountId": number}


def for_advertising_only(sync: Sync) -> None:
    """Consent is forwarded as granted, so it must have been asked for what it says."""
    if "advertising" not in sync.purposes:
        raise BadDeclaration(f"{sync.name}: Google processes who consented to advertising only: purpose: advertising")


def user_identifiers(identifiers: Mapping[str, Scalar]) -> list[dict[str, Any]]:
    """Write a person's contact data: hashes, and the readable part of an address."""
    found: list[dict[str, Any]] = []
    if "email" in identifiers:
        found.append({"emailAddress": identifiers["email"]})
    if "phone" in identifiers:
        found.append({"phoneNumber": identifiers["phone"]})
    if "last_name" in identifiers:  # comes with the other three or not at all
        parts = {"givenName": "first_name", "familyName": "last_name", "regionCode": "country", "postalCode": "zip"}
        found.append({"address": {theirs: identifiers[ours] for theirs, ours in parts.items()}})
    return found


def follow(options: Options, response: Response) -> Follow | None:
    """Ask what became of a request until it is over, or often enough."""
    is_open = "requestId" in response.json() or _status(response) == "PROCESSING"
    asked = len(response.earlier)
    if not is_open or asked >= options.polls:
        return None
    request_id = quote(str((*response.earlier, response)[0].json()["requestId"]), safe="")
    wait = min(options.poll_seconds * 2**asked, LONGEST_WAIT_SECONDS)
    return Follow(Request(f"/v1/requestStatus:retrieve?requestId={request_id}", b"", "GET"), wait)


def outcomes(rows: Sequence[Change], response: Response) -> list[Receipt]:
    """Read the end of a request: it counts failures and never says whose."""
    is_open = "requestId" in response.json()
    status, counts = ("PROCESSING", {}) if is_open else (_status(response), _counts(response))
    failures = {reason: count for reason, count in counts.items() if reason not in KNOWN_ALREADY}
    outcome, code = Outcome.DELIVERED, ""
    if status == "FAILED" and not counts:
        outcome, code = Outcome.DEFERRED, "request_failed"
    elif failures and sum(failures.values()) >= len(rows):
        most = max(failures, key=lambda reason: failures[reason])
        outcome, code = Outcome.REJECTED, most.removeprefix(REASON).lower()
    elif failures or status not in {"PROCESSING", "SUCCESS", "PARTIAL_SUCCESS", "FAILED"}:
        outcome, code = Outcome.UNKNOWN, "some_failed"
    return [Receipt(row, outcome, code) for row in rows]


def pointer(rows: Sequence[Change], response: Response) -> list[int]:
    fields = [violation.get("field") or "" for violation in _violations(response)]
    places = {int(blamed[1]) for field in fields if (blamed := ROW.match(field))}
    return sorted(place for place in places if place < len(rows))


def classify(response: Response) -> Verdict:
    """Rows are to blame only when they are named for a reason of theirs; some failing in the end is one, too."""
    if response.status == 400:  # noqa: PLR2004 — HTTP's own numbers
        named = [v for v in _violations(response) if ROW.match(v.get("field") or "")]
        is_rows = named and not any(NOT_A_ROWS.fullmatch(str(v.get("reason") or "")) for v in named)
        return Verdict.REFUSED if is_rows else Verdict.CONFIG
    if response.status == 409:  # noqa: PLR2004 — ABORTED: somebody else changes the list
        return Verdict.BUSY
    if response.status == 429 and "PerDay" in json.dumps(_details(response)):  # noqa: PLR2004
        return Verdict.CONFIG
    verdict = by_status(response)
    if verdict is not Verdict.ANSWERED:
        return verdict
    try:
        return Verdict.REFUSED if _is_mixed(response) else verdict
    except (ValueError, LookupError, TypeError, AttributeError):
        return verdict


def _is_mixed(response: Response) -> bool:
    """Whether some rows failed and others didn't, be it that they were known."""
    counts = _counts(response)
    failures = sum(count for reason, count in counts.items() if reason not in KNOWN_ALREADY)
    return bool(failures) and (_status(response) == "PARTIAL_SUCCESS" or failures < sum(counts.values()))


def _status(response: Response) -> str:
    return str(response.json()["requestStatusPerDestination"][0]["requestStatus"])


def _counts(response: Response) -> dict[str, int]:
    """Reason → how many rows failed for it."""
    said = response.json()["requestStatusPerDestination"][0].get("errorInfo") or {}
    return {str(one["reason"]): int(one["recordCount"]) for one in said.get("errorCounts") or []}


def _details(response: Response) -> list[dict[str, Any]]:
    try:
        found = json.loads(response.body)["error"]["details"]
    except (ValueError, LookupError, TypeError):
        return []
    return [detail for detail in found if isinstance(detail, dict)] if isinstance(found, list) else []


def _violations(response: Response) -> list[dict[str, Any]]:
    return [violation for detail in _details(response) for violation in detail.get("fieldViolations") or []]


class _Token:
    """An access token, renewed before it ends."""

    def __init__(self, sync: Sync, settings: Settings) -> None:
        self._sync, self._settings = sync, settings
        self._given = settings.access_token.get_secret_value() if settings.access_token else ""
        self._ends_at = float("inf") if self._given else 0.0

    def headers(self) -> dict[str, str]:
        if time.monotonic() > self._ends_at - EARLY_SECONDS:
            self._renew()
        project = self._settings.quota_project
        return {"authorization": f"Bearer {self._given}", **({"x-goog-user-project": project} if project else {})}

    def _renew(self) -> None:
        found = self._settings
        form = {"grant_type": "refresh_token", "client_id": found.client_id}
        for name, secret in (("client_secret", found.client_secret), ("refresh_token", found.refresh_token)):
            form[name] = secret.get_secret_value() if secret else ""
        try:
            answer = httpx.post(found.token_url, data=form, timeout=30, trust_env=False)
        except httpx.TransportError as error:
            raise NotSent(type(error).__name__) from error
        if answer.status_code != 200:  # noqa: PLR2004
            message = f"{self._sync.name}: Google gave no token for GOOGLE_REFRESH_TOKEN (HTTP {answer.status_code})"
            raise DestinationRefused(message)
        said = answer.json()
        self._given, self._ends_at = str(said["access_token"]), time.monotonic() + float(said.get("expires_in", 3600))


@contextmanager
def connect(sync: Sync, timeout_seconds: float) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    if not found.is_complete:
        raise DestinationRefused(
            f"{sync.name}: set GOOGLE_ACCESS_TOKEN, or GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET and GOOGLE_REFRESH_TOKEN"
        )
    token = _Token(sync, found)
    token.headers()  # what is wrong with the credentials shows before anything is planned as sent
    with http.connect(found.url, sign=lambda _: token.headers(), timeout_seconds=timeout_seconds) as send:
        yield send

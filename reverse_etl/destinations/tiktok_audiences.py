"""TikTok audience segments: hashes of people mapped to an audience, or no longer.

TikTok answers 200 to everything and says in a code what it means. A request is taken whole or not at all, and it
never says which row is wrong: a refused one is split. Removing an identifier removes it for everybody who shares it.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.ads.people import People
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Transport, Verdict, by_status
from reverse_etl.exchange import asking, telling
from reverse_etl.read_back import Tells
from reverse_etl.sync import Sync

SCHEMA = {"email": "EMAIL_SHA256", "phone": "PHONE_SHA256", "idfa": "IDFA_SHA256", "aaid": "AAID_SHA256"}
DONE, SOME_DONE, WRONG_PARAMETER, TOO_MANY = 0, 20_001, 40_002, 40_100
AUTH = {40_101, 40_102, 40_104, 40_105}


class Settings(settings.Settings, env_prefix="TIKTOK_"):
    """TIKTOK_ACCESS_TOKEN, of an app that TikTok lets use segments; TIKTOK_URL."""

    access_token: SecretStr
    url: settings.Address = "https://business-api.tiktok.com/open_api/v1.3"


class Options(settings.Options):
    """Whose audience. How phones are written is `normalise.tiktok_phone_plus`."""

    advertiser_id: str = Field(pattern=r"^\d+$")
    audience_id: str = Field(pattern=r"^\d+$")
    batch_rows: int = Field(default=5_000, ge=1, le=10_000)


class Destination:
    """Members are their identifiers, each mapped on its own."""

    tells = Tells.MATCHED

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.account = "tiktok"
        people = People.of(sync, self.account)
        self.identify = people.identify
        self.spec = people.spec(
            self._options.batch_rows, classify=classify, smallest_audience=1_000, requests_per_second=10
        )

    def request(self, rows: Sequence[Change]) -> Request:
        names = [name for name in SCHEMA if any(name in row.identifiers for row in rows)]
        audiences = [self._options.audience_id]
        body = {
            "advertiser_ids": [self._options.advertiser_id],
            "action": "delete" if rows[0].operation == "remove" else "add",
            "id_schema": [SCHEMA[name] for name in names],
            # What a person lacks stays as an empty place: columns would shift otherwise.
            "batch_data": [
                [
                    {"id": row.identifiers[name], "audience_ids": audiences} if name in row.identifiers else {}
                    for name in names
                ]
                for row in rows
            ],
        }
        return telling("/segment/mapping/", body)

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if response.json()["code"] != DONE:
            return [Receipt(row, Outcome.UNKNOWN, f"code_{response.json()['code']}") for row in rows]
        return [Receipt(row, Outcome.DELIVERED) for row in rows]

    def reason(self, response: Response) -> str:
        return f"code_{response.json()['code']}"

    def read_back(self) -> Request:
        wanted = json.dumps([self._options.audience_id])
        query = {"advertiser_id": self._options.advertiser_id, "custom_audience_ids": wanted}
        return asking("/dmp/custom_audience/get/", query)

    def size(self, response: Response) -> int | None:
        """People TikTok recognised, after a day or two."""
        (audience,) = response.json()["data"]["list"]
        count = (audience.get("audience_details") or {}).get("cover_num")
        return int(count) if count is not None else None

    def connect(self) -> AbstractContextManager[Transport]:
        found = settings.secrets(self._sync, Settings)
        key = {"access-token": found.access_token.get_secret_value()}
        return http.connect(found.url, sign=lambda _: key, timeout_seconds=self._options.timeout_seconds)


def classify(response: Response) -> Verdict:
    """Go by TikTok's code. One we don't know stops the sync rather than blame rows."""
    try:
        code = int(json.loads(response.body)["code"])
    except (ValueError, LookupError, TypeError):
        return by_status(response)
    if code in {SOME_DONE, WRONG_PARAMETER}:
        return Verdict.REFUSED
    if code == TOO_MANY:
        return Verdict.BUSY
    if code in AUTH:
        return Verdict.AUTH
    if code >= 50_000:  # noqa: PLR2004 — its own errors
        return Verdict.BROKEN
    return Verdict.ANSWERED if code == DONE else Verdict.CONFIG

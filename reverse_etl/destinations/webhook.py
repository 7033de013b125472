"""Any HTTPS endpoint of yours: signed JSON, an idempotency key per request and per row, answers per row.

The body is `{"sync", "rows": [{operation_id, operation: add|change|remove, identifiers, fields}]}`, signed as Standard
Webhooks are (signature.py) under WEBHOOK_SECRET: refuse what is older than five minutes, and take what comes under
one `idempotency-key`, or one operation_id, once. Answer 2xx with nothing, when all rows are taken, or with
`{"results": [{operation_id, status: delivered|rejected|deferred, code}]}`; 410 is never again.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC
from urllib.parse import urljoin, urlsplit, urlunsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.destination import (
    Change,
    DestinationRefused,
    Outcome,
    Receipt,
    Request,
    Response,
    Spec,
    Transport,
    Verdict,
    by_status,
)
from reverse_etl.environment import now
from reverse_etl.signature import LEAST_BYTES, signed
from reverse_etl.sync import BadDeclaration, Sync

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseSettings):
    """WEBHOOK_SECRET, read when a run sends."""

    model_config = SettingsConfigDict(env_prefix="WEBHOOK_")

    secret: SecretStr = Field(min_length=LEAST_BYTES)


def classify(response: Response) -> Verdict:
    """As HTTP means it, but a conflict that says when to come back is one of time."""
    conflict = 409
    return Verdict.BUSY if response.status == conflict and "retry-after" in response.headers else by_status(response)


class Destination:
    """Options: `url` (https, or http on loopback; default WEBHOOK_URL), `batch_rows` (500), `timeout_seconds` (30).

    Members are found by the sync's key. Declare `honours_operation_ids: true` when the endpoint does. Addresses that
    are not public are refused unless CDP_PRIVATE_NETWORKS allows them; redirects are not followed.
    """

    def __init__(self, sync: Sync) -> None:
        self._sync = sync.name
        self._url = str(sync.options.get("url") or os.environ.get("WEBHOOK_URL", ""))
        self._timeout_seconds = float(sync.options.get("timeout_seconds", 30))
        address = urlsplit(self._url)
        is_safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)
        if not is_safe or not address.hostname:
            raise BadDeclaration(f"{sync.name}: options.url must be an https address")
        self.spec = Spec(
            batch_rows=int(sync.options.get("batch_rows", 500)),
            batch_bytes=1_000_000,
            honours_operation_ids=bool(sync.options.get("honours_operation_ids", False)),
            is_set=False,
            classify=classify,
        )

    def request(self, rows: Sequence[Change]) -> Request:
        body = {
            "sync": self._sync,
            "rows": [
                {
                    "operation_id": row.operation_id,
                    "operation": row.operation,
                    "identifiers": dict(row.identifiers),
                    "fields": dict(row.fields),
                }
                for row in rows
            ],
        }
        key = hashlib.sha256("".join(row.operation_id for row in rows).encode()).hexdigest()
        _, _, *path = urlsplit(self._url)
        return Request(urlunsplit(("", "", *path)), json.dumps(body).encode(), headers={"idempotency-key": key})

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if not response.body.strip():
            return [Receipt(row, Outcome.DELIVERED) for row in rows]
        said = {str(result["operation_id"]): result for result in response.json()["results"]}
        return [
            Receipt(row, Outcome(result["status"]), str(result.get("code") or "")[:64])
            for row in rows
            if (result := said.get(row.operation_id))
        ]

    def connect(self) -> AbstractContextManager[Transport]:
        try:
            settings = Settings(_env_file=os.environ.get("CDP_SECRETS"))  # type: ignore[call-arg]
            secret = settings.secret.get_secret_value()
            signed(secret, "", 0, b"")  # none that is too short, or no base64
        except ValueError as error:
            message = (
                f"{self._sync}: set WEBHOOK_SECRET, 16 characters at least, no spaces: the receiver verifies with it"
            )
            raise DestinationRefused(message) from error

        def sign(request: Request) -> Mapping[str, str]:
            return signed(
                secret, request.headers["idempotency-key"], int(now().replace(tzinfo=UTC).timestamp()), request.body
            )

        return http.connect(urljoin(self._url, "/"), sign=sign, timeout_seconds=self._timeout_seconds, only_public=True)

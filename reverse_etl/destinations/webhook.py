"""Any HTTPS endpoint of yours: signed JSON, an idempotency key per request and per row, answers per row.

The body is `{"sync", "rows": [{operation_id, operation: add|change|remove, identifiers, fields}]}`. The
header `x-signature: t=<unix seconds>,v1=<hex>` is the HMAC-SHA256 of `<t>.<body>` under WEBHOOK_SECRET:
refuse what is older than five minutes. Answer 2xx with nothing, when all rows are taken, or with
`{"results": [{operation_id, status, code}]}` and a status of delivered, rejected or deferred for each.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
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
)
from reverse_etl.sync import BadDeclaration, Sync

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseSettings):
    """WEBHOOK_SECRET, read when a run sends."""

    model_config = SettingsConfigDict(env_prefix="WEBHOOK_")

    secret: SecretStr


class Destination:
    """Options: `url` (https, or http on loopback), `batch_rows` (500), `timeout_seconds` (30).

    Members are found by the sync's key. Declare `honours_operation_ids: true` when the endpoint does.
    """

    def __init__(self, sync: Sync) -> None:
        self._sync = sync.name
        self._url = str(sync.options.get("url", ""))
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
        return Request(self._url, json.dumps(body).encode(), headers={"idempotency-key": key})

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
            secret = Settings().secret.get_secret_value()  # type: ignore[call-arg]  # from the environment
        except ValidationError as error:
            raise DestinationRefused(f"{self._sync}: set WEBHOOK_SECRET, the receiver verifies with it") from error

        def sign(request: Request) -> Mapping[str, str]:
            moment = int(time.time())
            return {"x-signature": f"t={moment},v1={signature(secret, moment, request.body)}"}

        return http.connect("", sign=sign, timeout_seconds=self._timeout_seconds)


def signature(secret: str, moment: int, body: bytes) -> str:
    """Compute what the receiver must compute as well."""
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()

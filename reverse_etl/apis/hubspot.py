"""HubSpot's CRM API: a private app's token, limits and properties that are nobody's fault, values as text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from reverse_etl import http, settings
from reverse_etl.destination import Response, Scalar, Transport, Verdict, by_status
from reverse_etl.sync import Sync

LOCKED, MIGRATING, TOO_MANY = 423, 477, 429


class Settings(settings.Settings, env_prefix="HUBSPOT_"):
    """HUBSPOT_ACCESS_TOKEN of a private app, and HUBSPOT_URL."""

    access_token: SecretStr
    url: settings.Address = "https://api.hubapi.com"


def classify(response: Response) -> Verdict:
    """A property nobody made and a spent day are no row's fault."""
    if response.status in {LOCKED, MIGRATING}:
        return Verdict.BUSY
    if b"PROPERTY_DOESNT_EXIST" in response.body or (response.status == TOO_MANY and b'"DAILY"' in response.body):
        return Verdict.CONFIG
    return by_status(response)


@contextmanager
def connect(sync: Sync, timeout_seconds: float) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    key = {"authorization": f"Bearer {found.access_token.get_secret_value()}"}
    with http.connect(found.url, sign=lambda _: key, timeout_seconds=timeout_seconds) as send:
        yield send


def blamed(said: Mapping[str, Any]) -> dict[str, str]:
    """Category of the error by trace id, or by id where there is no trace."""
    return {id_: str(error["category"]) for error in said.get("errors") or [] for id_ in _named(error)}


def text(value: Scalar) -> str:
    """Every value is text there, and an empty one clears."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _named(error: Mapping[str, Any]) -> list[str]:
    context = error.get("context") or {}
    return [*context.get("objectWriteTraceId", []), *context.get("ids", [])]

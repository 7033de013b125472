"""Salesforce's REST API: a session that is renewed once, errors as a list of codes, queries that page."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.contacts import ContactOptions
from reverse_etl.destination import Request, Response, Transport, Verdict, by_status
from reverse_etl.exchange import asking, read, telling
from reverse_etl.session import client_credentials, in_session
from reverse_etl.sync import Sync

NOBODYS_FAULT = {"REQUEST_LIMIT_EXCEEDED", "INVALID_FIELD", "INVALID_TYPE"}


class Settings(settings.Settings, env_prefix="SALESFORCE_"):
    """SALESFORCE_URL (your My Domain), SALESFORCE_CLIENT_ID and _CLIENT_SECRET of an app with client credentials."""

    url: settings.Address
    client_id: str
    client_secret: SecretStr


class Options(ContactOptions):
    """`version` of the API, which lives for years."""

    version: str = Field(default="v60.0", pattern=r"^v\d+\.0$")

    @property
    def path(self) -> str:
        return f"/services/data/{self.version}"


def classify(response: Response) -> Verdict:
    """A field nobody made and a spent day are no row's fault."""
    said = read(response)
    if isinstance(said, dict) and "compositeResponse" in said:
        return by_status(replace(response, status=int(said["compositeResponse"][0]["httpStatusCode"])))
    codes = {error.get("errorCode") for error in said if isinstance(error, dict)} if isinstance(said, list) else set()
    if codes & NOBODYS_FAULT:
        return Verdict.CONFIG
    return Verdict.BUSY if "SERVER_TOO_BUSY" in codes else by_status(response)


@contextmanager
def connect(sync: Sync, timeout_seconds: float) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    with http.connect("", timeout_seconds=timeout_seconds) as send:
        token = Request(f"{found.url}/services/oauth2/token", b"")
        yield in_session(send, client_credentials(send, token, found.client_id, found.client_secret))


def find(path: str, object_: str, field: str, values: Iterable[str]) -> Request:
    """Look up the ids of records by what may be personal: the query is in a body, because paths end up in logs."""
    query = quote(f"SELECT Id, {field} FROM {object_} WHERE {field} IN ({','.join(map(_literal, values))})")
    sub = {"method": "GET", "url": f"{path}/query/?q={query}", "referenceId": "found"}
    return telling(f"{path}/composite", {"compositeRequest": [sub]})


def found_in(response: Response) -> list[dict[str, Any]]:
    """Read the records that `find` found."""
    return list(response.json()["compositeResponse"][0]["body"]["records"])


def select(path: str, query: str) -> Request:
    """Ask a query with nothing personal in it."""
    return asking(f"{path}/query", {"q": query})


def next_page(response: Response) -> Request | None:
    following = response.json().get("nextRecordsUrl")
    return asking(str(following)) if following else None


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""Mailchimp's Marketing API: a key that names the data centre, batches whose answers are an archive elsewhere."""

import json
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from reverse_etl import http, settings
from reverse_etl.destination import Follow, Request, Response, Transport, Unreadable
from reverse_etl.exchange import asking, basic
from reverse_etl.sync import Sync


class Settings(settings.Settings, env_prefix="MAILCHIMP_"):
    """MAILCHIMP_API_KEY (…-us1: its end names the data centre), MAILCHIMP_URL to go elsewhere."""

    api_key: SecretStr
    url: settings.Address | None = None

    @property
    def address(self) -> str:
        centre = self.api_key.get_secret_value().rpartition("-")[2]
        return self.url or f"https://{centre}.api.mailchimp.com/3.0"


@contextmanager
def connect(sync: Sync, timeout_seconds: float) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    key = {"authorization": basic("key", found.api_key.get_secret_value())}

    def sign(request: Request) -> dict[str, str]:
        return {} if urlsplit(request.path).scheme else key  # the archive lies elsewhere, and knows who may fetch

    with http.connect(found.address, sign=sign, timeout_seconds=timeout_seconds) as send:
        yield send


def follow(response: Response, poll_seconds: float) -> Follow | None:
    """Poll a batch until it is finished, then fetch what was said of each of its operations."""
    if is_finished(response.earlier):
        return None
    said = response.json()
    if said["status"] != "finished":
        return Follow(asking(f"/batches/{said['id']}"), poll_seconds)
    place = urlsplit(said["response_body_url"])
    if place.scheme != "https" and place.hostname not in settings.LOOPBACK:
        raise Unreadable("the answers are in no safe place")
    return Follow(Request(said["response_body_url"], b"", method="GET"))


def is_finished(earlier: Sequence[Response]) -> bool:
    return bool(earlier) and earlier[-1].json()["status"] == "finished"


def answers_in(archive: bytes) -> list[dict[str, Any]]:
    """Read `{operation_id, status_code, response}` of every operation."""
    try:
        with tarfile.open(fileobj=BytesIO(archive), mode="r:gz") as opened:
            files = [opened.extractfile(member) for member in opened if member.isfile()]
            return [answer for file in files if file for answer in json.load(file)]
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Unreadable("the answers are no archive") from error

"""Klaviyo's API: a key and a revision, profiles in its shape, import jobs that are polled and then blame profiles."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.contacts import ContactOptions
from reverse_etl.destination import Follow, Request, Response, Transport
from reverse_etl.exchange import answers, asked_for, asking, completing
from reverse_etl.sync import Sync

PLACE = {"address1", "address2", "city", "region", "zip", "country", "timezone"}
OWN = {"email", "phone_number", "external_id", "first_name", "last_name", "organization", "title", "locale", "image"}
JOBS, UNFINISHED = "/profile-bulk-import-jobs", {"queued", "processing"}
BLAMED = re.compile(r"/profiles/data/(\d+)(?:/|$)")


class Settings(settings.Settings, env_prefix="KLAVIYO_"):
    """KLAVIYO_API_KEY (pk_…) and KLAVIYO_URL, read when a run sends."""

    api_key: SecretStr
    url: settings.Address = "https://a.klaviyo.com/api"


class Options(ContactOptions):
    """`revision` of the API, which lives for two years; `poll_seconds`."""

    revision: str = Field(default="2026-10-15", pattern=r"^\d{4}-\d{2}-\d{2}(\.\w+)?$")
    poll_seconds: float = 2


@contextmanager
def connect(sync: Sync, options: Options) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    headers = {
        "authorization": f"Klaviyo-API-Key {found.api_key.get_secret_value()}",
        "revision": options.revision,
        "content-type": "application/vnd.api+json",
    }
    with http.connect(found.url, sign=lambda _: headers, timeout_seconds=options.timeout_seconds) as send:
        yield completing(send)


def profile(filled: Mapping[str, Any]) -> dict[str, Any]:
    """Part what is known of a person into Klaviyo's own fields, the place, and properties of yours."""
    own = {name: value for name, value in filled.items() if name in OWN}
    place = {name: value for name, value in filled.items() if name in PLACE}
    groups = {"location": place, "properties": {n: v for n, v in filled.items() if n not in OWN | PLACE}}
    return {"type": "profile", "attributes": own | {name: group for name, group in groups.items() if group}}


def follow_job(response: Response, poll_seconds: float) -> Follow | None:
    """Poll the job, then read whom it blames, page by page."""
    said = response.json()
    if isinstance(said["data"], list):  # a page of errors
        cursor = asked_for((said.get("links") or {}).get("next"), "page[cursor]")
        return Follow(_errors(response, {"page[cursor]": cursor})) if cursor else None
    if said["data"]["attributes"]["status"] in UNFINISHED:
        return Follow(asking(f"{JOBS}/{said['data']['id']}"), poll_seconds)
    return Follow(_errors(response, {})) if said["data"]["attributes"].get("failed_count") else None


def job_of(response: Response) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give the job as it ended, and its errors: `original_payload` and `code`."""
    told = [answer.json()["data"] for answer in answers(response)]
    errors = [error["attributes"] for page in told if isinstance(page, list) for error in page]
    return [data for data in told if isinstance(data, dict)][-1]["attributes"], errors


def pointer(response: Response, most: int) -> Sequence[int]:
    """Read which profiles a refused job blames; it imported none."""
    pointers = [(error.get("source") or {}).get("pointer") or "" for error in response.json()["errors"]]
    found = {int(blamed[1]) for pointer in pointers if (blamed := BLAMED.search(pointer))}
    return sorted(index for index in found if index < most)


def _errors(response: Response, page: Mapping[str, str]) -> Request:
    job = answers(response)[0].json()["data"]["id"]
    return asking(f"{JOBS}/{job}/import-errors", {"page[size]": "100", **page})

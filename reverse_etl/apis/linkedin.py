"""LinkedIn's API: versioned headers, statuses, and the segment of a sync, found or made when it is first written to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from reverse_etl import http, settings
from reverse_etl.destination import Request, Response, Transport, Verdict, by_status
from reverse_etl.sync import Sync

SEGMENT = "{segment}"  # in paths, until the segment is found
CREATED = 201
LATER = {404, 409, 423}
OURS = {400, 422, 426}  # of a whole request: a header, a version; rows have statuses of their own


class Settings(settings.Settings, env_prefix="LINKEDIN_"):
    """LINKEDIN_ACCESS_TOKEN, with the scope rw_dmp_segments; LINKEDIN_URL."""

    access_token: SecretStr
    url: settings.Address = "https://api.linkedin.com/rest"


class Options(settings.Options):
    """`segment_id`; or `ad_account`, where the segment of the sync's name is found or made.

    A `version` of the API lives for about a year.
    """

    segment_id: str = Field(default="", pattern=r"^\d*$")
    ad_account: str = Field(default="", pattern=r"^\d*$")
    source_platform: str = "COMPOSABLE_CDP"  # as LinkedIn registered you
    version: str = Field(default="202604", pattern=r"^20\d{4}$")


def classify(response: Response) -> Verdict:
    """Read the status; 404 is a segment that isn't there yet."""
    if response.status in LATER:
        return Verdict.BUSY
    return Verdict.CONFIG if response.status in OURS else by_status(response)


@contextmanager
def connect(sync: Sync, options: Options) -> Iterator[Transport]:
    found = settings.secrets(sync, Settings)
    headers = {
        "authorization": f"Bearer {found.access_token.get_secret_value()}",
        "linkedin-version": options.version,
        "x-restli-protocol-version": "2.0.0",
    }
    segment = options.segment_id
    with http.connect(found.url, sign=lambda _: headers, timeout_seconds=options.timeout_seconds) as send:

        def sent(request: Request) -> Response:
            nonlocal segment
            if not segment:
                answer = _find_or_make(send, sync.name, options)
                segment = segment_in(answer)
                if not segment:
                    return answer
            return send(replace(request, path=request.path.replace(SEGMENT, segment)))

        yield sent


def _find_or_make(send: Transport, name: str, options: Options) -> Response:
    """Answer with the segment in it, or with what went wrong."""
    own = {"sourceSegmentId": name, "sourcePlatform": options.source_platform}
    urn = f"urn:li:sponsoredAccount:{options.ad_account}"
    find = Request(f"/dmpSegments?{urlencode({'q': 'account', 'account': urn, **own})}", b"", "GET")
    answer = send(find)
    if classify(answer) is not Verdict.ANSWERED or segment_in(answer):
        return answer
    wanted = {"name": name, **own, "account": urn, "type": "USER", "destinations": [{"destination": "LINKEDIN"}]}
    return send(Request("/dmpSegments", json.dumps(wanted).encode()))  # 409, somebody was faster: is found next time


def segment_in(response: Response) -> str:
    """Read the id of a segment that was found or made; empty when there is none."""
    if response.status == CREATED:
        return response.headers.get("x-linkedin-id", "")
    try:
        return str(json.loads(response.body)["elements"][0]["id"])
    except (ValueError, LookupError, TypeError):
        return ""

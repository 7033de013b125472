"""Slack: a message to a channel's incoming webhook, for every row or as a digest of several.

Slack has no idempotency: what may have been posted is not posted again, and a message can't be taken back. So a sync
to it is `mode: append_events`. What a value contains is text: it can't mention anybody or hide a link.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, TypeAdapter, ValidationError

from reverse_etl import http, once_only, settings
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Transport, Unreadable
from reverse_etl.sync import Sync

LONGEST_TEXT, MOST_IN_A_DIGEST = 40_000, 50
CONTROLS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _safe(url: SecretStr) -> SecretStr:
    try:
        TypeAdapter(settings.Address).validate_python(url.get_secret_value())
    except ValidationError:
        raise ValueError("must be an https address") from None  # its error quotes the address
    return url


class Settings(settings.Settings, env_prefix="SLACK_"):
    """SLACK_URL, the incoming webhook's address: it is the secret, and names the channel."""

    url: Annotated[SecretStr, AfterValidator(_safe)]


class Options(settings.Options):
    """`digest`: how many rows share a message (1); `title`: its first line; `markup`: the text is Slack's own."""

    digest: int = Field(default=1, ge=1, le=MOST_IN_A_DIGEST)
    title: str = ""
    markup: bool = False


class Destination:
    """Posts the field `text`; rows are told apart by the sync's key."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, settings.declared(sync, Options)
        self.spec = once_only.spec(sync, self._options.digest, LONGEST_TEXT, required=("text",), requests_per_second=1)

    def request(self, rows: Sequence[Change]) -> Request:
        lines = [str(row.fields["text"]) for row in rows]
        texts = lines if self._options.markup else [line.translate(CONTROLS) for line in lines]
        title = [self._options.title] if self._options.title else []
        return Request("", json.dumps({"text": "\n".join([*title, *texts])}, ensure_ascii=False).encode())

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        if response.body.strip() != b"ok":
            raise Unreadable("Slack says ok and nothing else")
        return [Receipt(row, Outcome.DELIVERED) for row in rows]

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        """Add the address last: it is in no request that could be kept or shown."""
        url = settings.secrets(self._sync, Settings).url.get_secret_value()
        with http.connect("", timeout_seconds=self._options.timeout_seconds) as send:
            yield lambda request: send(replace(request, path=url))

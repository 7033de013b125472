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
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl import http
from reverse_etl.ads import account
from reverse_etl.contacts import Address, declared, only_events, secrets
from reverse_etl.destination import Change, Outcome, Receipt, Request, Response, Spec, Transport, Unreadable
from reverse_etl.sync import Sync

LONGEST_TEXT, MOST_IN_A_DIGEST = 40_000, 50
CONTROLS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _safe(url: SecretStr) -> SecretStr:
    try:
        TypeAdapter(Address).validate_python(url.get_secret_value())
    except ValidationError:
        raise ValueError("must be an https address") from None  # its error quotes the address
    return url


class Settings(BaseSettings):
    """SLACK_URL, the incoming webhook's address: it is the secret, and names the channel."""

    model_config = SettingsConfigDict(env_prefix="SLACK_", extra="ignore", hide_input_in_errors=True)

    url: Annotated[SecretStr, AfterValidator(_safe)]


class Options(account.Options):
    """`digest`: how many rows share a message (1); `title`: its first line; `markup`: the text is Slack's own."""

    digest: int = Field(default=1, ge=1, le=MOST_IN_A_DIGEST)
    title: str = ""
    markup: bool = False


class Destination:
    """Posts the field `text`; rows are told apart by the sync's key."""

    def __init__(self, sync: Sync) -> None:
        self._sync, self._options = sync, declared(sync, Options)
        only_events(sync)
        # One attempt: after an answer that was lost, only a person can see whether the message is there.
        self.spec = Spec(
            batch_rows=self._options.digest,
            batch_bytes=LONGEST_TEXT,
            required=("text",),
            is_set=False,
            repeats_unknown=False,
            attempts=1,
            requests_per_second=1,
        )

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
        url = secrets(self._sync, Settings).url.get_secret_value()
        with http.connect("", timeout_seconds=self._options.timeout_seconds) as send:
            yield lambda request: send(replace(request, path=url))

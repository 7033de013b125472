"""Slack's incoming webhooks: text that says ok, or one word of what is wrong.

POST /services/T000/B000/<channel>. The channel `archived` is archived, `gone` isn't there, `closed` takes nothing.
"""

from collections.abc import Mapping
from typing import ClassVar

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call

LONGEST_TEXT, MOST_ATTACHMENTS = 40_000, 100
WRONG = {
    "archived": (410, "channel_is_archived"),
    "gone": (404, "channel_not_found"),
    "closed": (403, "action_prohibited"),
}
WORDS = {403: "invalid_token", 404: "no_service", 429: "rate_limited", 500: "rollup_error"}


class Vendor:
    """Kinds: messages (by number)."""

    name = "slack"
    environment: ClassVar[Mapping[str, str]] = {
        "SLACK_URL": "{url}/services/T000/B000/general",
    }

    def handle(self, request: Call, store: Store) -> Answer:
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "services", "T000", "B000", channel):
                return _post(request, store, channel)
            case ("POST", "services", *_):
                return _word(404, "no_team")
        return _word(404, "no_service")

    def failing(self, status: int, seconds: float) -> Answer:
        waits = {"retry-after": f"{seconds:.0f}"} if seconds else {}
        return Answer(
            status, content=WORDS.get(status, "error").encode(), headers={"content-type": "text/html"} | waits
        )


def _word(status: int, word: str) -> Answer:
    return Answer(status, content=word.encode(), headers={"content-type": "text/html"})


def _post(request: Call, store: Store, channel: str) -> Answer:
    if channel in WRONG:
        return _word(*WRONG[channel])
    try:
        said = request.json()
        text, blocks = said.get("text"), said.get("blocks")
    except (ValueError, AttributeError):
        return _word(400, "invalid_payload")
    if not text and not blocks:
        return _word(400, "no_text")
    if len(str(text)) > LONGEST_TEXT:
        return _word(400, "msg_too_long")
    if len(said.get("attachments") or []) > MOST_ATTACHMENTS:
        return _word(400, "too_many_attachments")
    store.put("messages", f"{store.count('messages'):09d}", {"channel": channel, "text": text, "blocks": blocks})
    return _word(200, "ok")

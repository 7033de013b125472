"""Lines about what isn't loaded as an event: kept with its reason, or only counted when consent forbids to keep it."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sources.collector.events import encode

LANE = "quarantine"
KEPT_BYTES = 512 * 1024
_ADDRESS = re.compile(rb'("ip"\s*:\s*")[^"]*(")')


@dataclass(frozen=True)
class Origin:
    """Who sent it, and by which rules it was judged."""

    name: str
    write_key: str | None = None
    plan_version: str | None = None
    keeps_addresses: bool = False


@dataclass(frozen=True)
class Reason:
    """Where it was stopped, and why; what the request said of it, so that it can be judged again."""

    stage: str  # body, event, plan or webhook
    codes: Sequence[str]
    kind: str | None = None  # of call; of a delivery, its topic
    sent_at: Any = None


def line(
    received_at: str,
    origin: Origin,
    reason: Reason,
    raw: bytes,
    *,
    message_id: str | None = None,
    sdk: str | None = None,
) -> bytes:
    """Return the line of one refused event or body; an address in it is cut out unless the policy keeps it whole."""
    kept = raw if reason.stage == "webhook" else raw[:KEPT_BYTES]  # a delivery got 200, whatever its size
    if not origin.keeps_addresses:
        kept = _ADDRESS.sub(rb"\1\2", kept)
    text, is_base64 = readable(kept)
    return encode(
        {
            "receivedAt": received_at,
            "source": origin.name,
            "stage": reason.stage,
            "codes": reason.codes,
            "planVersion": origin.plan_version,
            "writeKey": origin.write_key,
            "messageId": message_id,
            "raw": text,
            "isBase64": is_base64,
            "sdk": sdk,
            "type": reason.kind,
            "sentAt": reason.sent_at,
        }
    )


def replayed(received_at: str, sender: str, name: str) -> bytes:
    """Return the line that says of an earlier one, by its name, that what it kept has passed since."""
    return encode({"receivedAt": received_at, "source": sender, "stage": "replayed", "messageId": name})


def readable(raw: bytes) -> tuple[str, bool]:
    """Text if it is text, else base64."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True


def counted(received_at: str, origin: Origin, denied: dict[str, int]) -> list[bytes]:
    """Lines that say how many events of which type consent kept out on which day, and nothing else of them."""
    return [
        encode(
            {
                "receivedAt": f"{received_at[:10]}T00:00:00.000Z",
                "source": origin.name,
                "stage": "consent",
                "codes": ["consent_denied"],
                "type": kind,
                "count": count,
            }
        )
        for kind, count in denied.items()
    ]

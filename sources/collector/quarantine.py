"""Lines about what isn't loaded as an event: kept with its reason, or only counted when consent forbids to keep it."""

import base64
import re
from collections import Counter

from sources.collector.events import encode
from sources.collector.senders import Source

LANE = "quarantine"
KEPT_BYTES = 512 * 1024
_ADDRESS = re.compile(rb'("ip"\s*:\s*")[^"]*(")')


def line(  # noqa: PLR0913 - the line's fields
    received_at: str,
    source: Source,
    stage: str,
    codes: list[str],
    raw: bytes,
    message_id: str | None = None,
    sdk: str | None = None,
) -> bytes:
    """Return the line of one refused event or body; an address in it is cut out unless the policy keeps it whole."""
    kept = raw[:KEPT_BYTES]
    if source.sender.ip != "keep":
        kept = _ADDRESS.sub(rb"\1\2", kept)
    text, is_base64 = readable(kept)
    return encode(
        {
            "receivedAt": received_at,
            "source": source.sender.name,
            "stage": stage,
            "codes": codes,
            "planVersion": source.plan.version if source.plan else None,
            "writeKey": source.sender.write_key,
            "messageId": message_id,
            "raw": text,
            "isBase64": is_base64,
            "sdk": sdk,
        }
    )


def readable(raw: bytes) -> tuple[str, bool]:
    """Text if it is text, else base64."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True


def counted(received_at: str, source: Source, denied: Counter[str]) -> list[bytes]:
    """Lines that say how many events of which type consent kept out on which day, and nothing else of them."""
    return [
        encode(
            {
                "receivedAt": f"{received_at[:10]}T00:00:00.000Z",
                "source": source.sender.name,
                "stage": "consent",
                "codes": ["consent_denied"],
                "type": kind,
                "count": count,
            }
        )
        for kind, count in denied.items()
    ]

"""Who signed a webhook's bytes: a wrong signature is a Refusal 401, which never says what would be right."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable

from sources.collector.refusal import Refusal

TOLERANCE = 300  # seconds between a timestamp and our clock
STANDARD_PREFIX = "whsec_"


def digest(secret: bytes, signed: bytes) -> bytes:
    return hmac.new(secret, signed, hashlib.sha256).digest()


def check(given: Iterable[bytes], right: Iterable[bytes]) -> None:
    """One of the given signatures must be one of the right ones; both have several while a secret is replaced."""
    wanted = list(right)
    if not any(hmac.compare_digest(one, other) for one in given for other in wanted):
        raise Refusal(401, "bad_signature")


def check_time(timestamp: bytes) -> None:
    """An old delivery may be a replay."""
    if not timestamp.isdigit() or len(timestamp) > 12 or abs(time.time() - int(timestamp)) > TOLERANCE:  # noqa: PLR2004
        raise Refusal(401, "bad_timestamp")


def unbase64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_standard(headers: dict[bytes, bytes], body: bytes, keys: Iterable[bytes]) -> str:
    """Check by Standard Webhooks and return the delivery's id."""
    identity, timestamp = headers.get(b"webhook-id", b""), headers.get(b"webhook-timestamp", b"")
    check_time(timestamp)
    given = [part[3:] for part in headers.get(b"webhook-signature", b"").split(b" ") if part.startswith(b"v1,")]
    signed = b"%b.%b.%b" % (identity, timestamp, body)
    check(map(unbase64, given), (digest(key, signed) for key in keys))
    return identity.decode("latin-1")


def plain_key(secret: str) -> bytes:
    return secret.encode()


def fresh_standard_secret() -> str:
    return STANDARD_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def standard_key(secret: str) -> bytes:
    return unbase64(secret.removeprefix(STANDARD_PREFIX).encode())

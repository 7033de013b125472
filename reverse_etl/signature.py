"""Signatures of Standard Webhooks: who sent it, unchanged, and not long ago.

`webhook-signature: v1,<base64 HMAC-SHA256 of "<webhook-id>.<webhook-timestamp>.<body>">`; libraries that verify it
exist for most languages. Several signatures, with spaces between, let a secret change without an interruption.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"
LEAST_BYTES = 16


def key_of(secret: str) -> bytes:
    """Read a secret: `whsec_` and base64, or any text as it is; what is easily guessed is none."""
    key = secret.encode()
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error as error:
            raise ValueError("what follows whsec_ must be base64") from error
    if len(key) < LEAST_BYTES:
        raise ValueError(f"a secret has {LEAST_BYTES} bytes at least, and no spaces")
    return key


def signed(secrets: str, message_id: str, moment: int, body: bytes) -> dict[str, str]:
    """Make the headers of one message under every one of the secrets, which have spaces between them."""
    signatures = (_signature(key_of(secret), message_id, moment, body) for secret in secrets.split())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signatures),
    }


def flaw(secrets: str, headers: Mapping[str, str], body: bytes, moment: float) -> str:
    """Why a message is not to be believed at that moment: unsigned, stale or wrong_signature; empty when it is."""
    message_id, said = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (said.isascii() and said.isdigit()) or "webhook-signature" not in headers:
        return "unsigned"
    if abs(moment - int(said)) > TOLERANCE_SECONDS:
        return "stale"
    expected = [_signature(key_of(secret), message_id, int(said), body) for secret in secrets.split()]
    given = headers["webhook-signature"].split()
    is_signed = any(hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given)
    return "" if is_signed else "wrong_signature"


def _signature(key: bytes, message_id: str, moment: int, body: bytes) -> str:
    digest = hmac.new(key, f"{message_id}.{moment}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"

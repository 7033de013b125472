"""Hashes, telling them from plain values, and the last check before anything leaves.

SHA-256 of the UTF-8 bytes as lower-case hex, unsalted: every platform here compares with its own hash of the same
text [D]. LinkedIn also takes SHA-512 and TikTok MD5; one algorithm is enough.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

from reverse_etl.destination import Scalar
from reverse_etl.normalise.platforms import platform_of
from reverse_etl.normalise.rules.emails import ADDRESS

SHA256 = re.compile(r"[0-9a-f]{64}")
HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


class PlaintextRefused(RuntimeError):
    """Something readable was about to leave for a platform that gets hashes: a bug, nothing was sent."""


def sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hash_in(text: str) -> str:
    """Give the hash this value already is, in lower case; empty when it is none."""
    lowered = text.strip().lower()
    return lowered if SHA256.fullmatch(lowered) else ""


def refuse_plaintext(platform: str, identifiers: Mapping[str, Scalar]) -> None:
    """Raise unless every field that must be hashed is; the error names the field, never the value.

    What must not be hashed may still not be an e-mail address: somebody may have mapped one to an opaque id.
    """
    rules = platform_of(platform).rules
    for field, value in identifiers.items():
        if field not in rules:
            raise PlaintextRefused(f"{platform} takes no {field}: not sent")
        if rules[field].is_hashed and not (isinstance(value, str) and SHA256.fullmatch(value)):
            raise PlaintextRefused(f"{field} must be a SHA-256 in lower-case hex for {platform}: not sent")
        if "email" in rules and rules["email"].is_hashed and ADDRESS.search(str(value)):
            raise PlaintextRefused(f"{field} holds an e-mail address, {platform} gets only hashes of those: not sent")


def mailchimp_subscriber_hash(email: str) -> str:
    """Mailchimp's name of a member in its URLs: MD5 of the lower-case address [P]."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def meta_appsecret_proof(secret: str, token: str, seconds: int | None = None) -> str:
    """Meta's proof that a caller knows the app's secret; with a time, `appsecret_time` is sent beside it [P]."""
    message = token if seconds is None else f"{token}|{seconds}"
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()

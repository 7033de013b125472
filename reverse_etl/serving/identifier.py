"""What is asked for: an identifier in any of its spellings, as the digest under which it is kept.

`email:ann@example.com`, `phone:+1…`, `user_id:…`, `anonymous_id:…`, `profile_id:p_…`, or the value alone where its
shape tells what it is. No personal value need stand in an address: `sha256:<hex>`, or 64 hex digits alone, is the
SHA-256 of the normalised value (e-mail in lower case, phone as +digits).
"""

import hashlib
import re
from dataclasses import dataclass

TYPES = ("profile_id", "user_id", "email", "phone", "loyalty_number", "order_id", "anonymous_id", "device_id")
KEPT = 16  # bytes of a digest that are kept: no two of any number of identifiers share them
LONGEST = 320
HEX = re.compile(r"[0-9a-fA-F]{64}")
PROFILE_ID = re.compile(r"p_[0-9a-f]{20}")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`~.-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")


class Unreadable(ValueError):
    """It is no identifier; the message never repeats it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A digest, and which types of identifier it may be."""

    digest: bytes
    types: tuple[str, ...]
    value: str  # the normalised value, or its SHA-256 in hex
    is_hash: bool = False


def read(text: str) -> Asked:
    """Read what was asked for; raises Unreadable."""
    text = text.strip()
    if not text or len(text) > LONGEST or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unreadable("an identifier has 1 to 320 letters")
    kind, colon, value = text.partition(":")
    if colon and kind in {*TYPES, "sha256", "email_sha256"}:
        return _typed(kind, value.strip())
    if HEX.fullmatch(text):
        return _typed("sha256", text)
    if PROFILE_ID.fullmatch(text):
        return _typed("profile_id", text)
    if "@" in text:
        return _typed("email", text)
    if text.startswith("+"):
        return _typed("phone", text)
    return Asked(digest_of(text), ("user_id", "anonymous_id", "device_id", "loyalty_number"), text)


def _typed(kind: str, value: str) -> Asked:
    if kind in {"sha256", "email_sha256"}:
        if not HEX.fullmatch(value):
            raise Unreadable("a SHA-256 has 64 hex digits")
        types = TYPES if kind == "sha256" else ("email",)
        return Asked(bytes.fromhex(value)[:KEPT], types, value.lower(), is_hash=True)
    normalised = normalise(kind, value)
    if not normalised:
        raise Unreadable(f"not of the shape of {kind}")
    return Asked(digest_of(normalised), (kind,), normalised)


def normalise(kind: str, value: str) -> str:
    """Write a value as staging does; empty when it can't be one."""
    if kind == "email":
        address = re.sub(r"^.*[<:]|>.*$", "", value).strip(" \u00a0")
        return address.lower() if EMAIL.fullmatch(address) else ""
    if kind == "phone":
        digits = re.sub(r"[ ()./-]", "", value)
        digits = re.sub(r"^00", "+", digits)
        return digits if PHONE.fullmatch(digits) else ""
    return value


def digest_of(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()[:KEPT]

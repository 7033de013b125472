"""Ids that are no names: the customer's own, and the phone's advertising id."""

import re

from reverse_etl.normalise.platform import Context
from reverse_etl.normalise.reason import Reason, Unusable
from reverse_etl.normalise.rules.emails import ADDRESS

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def raw(text: str, _: Context) -> str:
    """Leave it byte for byte: what is tidied today isn't found tomorrow."""
    return text


def opaque(text: str, context: Context) -> str:
    """`raw`, but no e-mail address: where addresses are hashed an id must not carry one out [C]."""
    if ADDRESS.search(text):
        raise Unusable(Reason.PERSONAL_VALUE)
    return raw(text, context)


def mobile_ad_id(text: str, _: Context) -> str:
    """Trim, keep case and hyphens: Google, LinkedIn. All zeros is everybody who opted out [K]."""
    text = text.strip()
    if not _UUID.fullmatch(text):
        raise Unusable(Reason.MALFORMED)
    if not text.strip("0-"):
        raise Unusable(Reason.PLACEHOLDER)
    return text


def mobile_ad_id_lowered(text: str, context: Context) -> str:
    """Lower-case, hyphens kept: Meta [D]; for TikTok "consistent case" [P], for Snap and X [K]."""
    return mobile_ad_id(text, context).lower()

"""E-mail addresses.

Peers disagree: one removes only the first dot for Google and keeps the `+suffix`, another removes dots for TikTok on
every domain. We follow the vendors.
"""

import re

from reverse_etl.normalise.platform import Context
from reverse_etl.normalise.reason import Reason, Unusable
from reverse_etl.normalise.rules.text import lower

ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
LONGEST = 254  # RFC 5321's path less its brackets
GMAIL = {"gmail.com", "googlemail.com"}


def _checked(address: str) -> str:
    """Only the shape: an invisible letter, two @ or a domain without a dot can't be anybody's."""
    if len(address) > LONGEST or not address.isprintable() or not ADDRESS.fullmatch(address):
        raise Unusable(Reason.MALFORMED)
    return address


def lowered(text: str, _: Context) -> str:
    """Trim and lower-case: Meta [D], LinkedIn, Snap [P], X [D]; for tools that send the mail our choice [C]."""
    return _checked(lower(text.strip()))


def google(text: str, context: Context) -> str:
    """Drop all white space, lower-case; for Gmail alone also the dots and the `+suffix` of the local part [D].

    Google's own Python sample keeps the suffix; `gmail_strip_plus: false` does as it does.
    """
    address = lower("".join(text.split()))
    local, _, domain = address.rpartition("@")
    if domain in GMAIL:
        if context.gmail_strip_plus:
            local = local.partition("+")[0]
        address = f"{local.replace('.', '')}@{domain}"
    return _checked(address)


def tiktok(text: str, context: Context) -> str:
    """Lower-case, drop the `+suffix` on every domain, keep the dots [D, a help page of August 2025]."""
    local, _, domain = lowered(text, context).partition("@")
    return _checked(f"{local.partition('+')[0]}@{domain}")

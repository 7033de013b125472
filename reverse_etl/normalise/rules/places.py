"""Cities, states, postal codes and countries.

Their form depends on the row's country. Where it isn't known the shape decides: `94107-1234` and `SW1A 1AA` can be
nobody else's, and a US state's name is taken for one.
"""

import re
import unicodedata

import phonenumbers

from reverse_etl.normalise.platform import Context
from reverse_etl.normalise.reason import Reason, Unusable
from reverse_etl.normalise.rules.states import CODES, STATES
from reverse_etl.normalise.rules.text import lower, nfc, present, spaced, without_punctuation

# ISO 3166 alpha-2: places with a numbering plan, less two that aren't countries there, plus those without people
COUNTRIES = frozenset({*phonenumbers.SUPPORTED_REGIONS, "AQ", "BV", "GS", "HM", "PN", "TF", "UM"} - {"AC", "TA"})

_ZIP = re.compile(r"(\d{5})(?:-?\d{4})?", re.ASCII)
_ZIP_PLUS_4 = re.compile(r"(\d{5})-?\d{4}", re.ASCII)
_UK = re.compile(r"([a-z]{1,2}\d[a-z\d]?\d)(?:[a-z]{2})?", re.ASCII)  # area, district, sector; then the unit
_UK_WHOLE = re.compile(r"([a-z]{1,2}\d[a-z\d]?\d)[a-z]{2}", re.ASCII)
_POSTCODE = re.compile(r"[a-z0-9][a-z0-9-]{1,9}", re.ASCII)
_READABLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 -]{0,9}[A-Za-z0-9])", re.ASCII)


def country(text: str, _: Context) -> str:
    """ISO 3166 alpha-2 in upper case: Google [D]; LinkedIn [K]. `USA` and `UK` are none and are left out."""
    code = text.strip().upper()
    if code not in COUNTRIES:
        raise Unusable(Reason.UNKNOWN_VALUE)
    return code


def meta_country(text: str, context: Context) -> str:
    """Alpha-2 in lower case [D]; one peer hashes `usa`."""
    return country(text, context).lower()


def meta_city(text: str, _: Context) -> str:
    """a–z only, no spaces, no punctuation [D].

    Accents are taken off, though Meta doesn't say whether `münchen` is `munchen` or `mnchen`, unverified. A letter
    that has no base letter, as in Łódź or Москва, leaves the city out [C].
    """
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", text).lower() if letter.isalpha())
    if not letters.isascii():
        raise Unusable(Reason.NOT_LATIN)
    return present(letters)


def meta_state(text: str, context: Context) -> str:
    """US: the two-letter ANSI code in lower case; elsewhere lower-case without punctuation and spaces [D]."""
    word = present(lower("".join(without_punctuation(text).split())))
    if context.address_country not in {"", "US"}:
        return word
    code = STATES.get(word, word)
    if context.address_country == "US" and code not in CODES:
        raise Unusable(Reason.UNKNOWN_VALUE)
    return code


def meta_zip(text: str, context: Context) -> str:
    """Lower-case, no white space; US: the first five digits; UK: area, district and sector [D]."""
    code = lower("".join(text.split()))
    if context.address_country in {"US", "GB"}:
        found = (_ZIP if context.address_country == "US" else _UK).fullmatch(code)
        if not found:
            raise Unusable(Reason.MALFORMED)  # a ZIP of four digits has lost a zero: which one it was is a guess
        return found[1]
    if not _POSTCODE.fullmatch(code):
        raise Unusable(Reason.MALFORMED)
    by_shape = None if context.address_country else _ZIP_PLUS_4.fullmatch(code) or _UK_WHOLE.fullmatch(code)
    return by_shape[1] if by_shape else code


def google_zip(text: str, context: Context) -> str:
    """Trimmed, readable [D]. One that can't be a postal code is left out: it would fail the whole request [D]."""
    code = spaced(text)
    if not _READABLE.fullmatch(code) or (context.address_country == "US" and not _ZIP.fullmatch(code)):
        raise Unusable(Reason.MALFORMED)
    return code


def written(text: str, _: Context) -> str:
    """As a person wrote it, trimmed: for tools that show the address [C]."""
    return present(nfc(spaced(text)))

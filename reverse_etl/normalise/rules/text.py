"""What all rules share: values as text, one spelling of Unicode, lengths."""

import math
import string
import unicodedata
from collections.abc import Callable

from reverse_etl.destination import Scalar
from reverse_etl.normalise.platform import Context, Normaliser
from reverse_etl.normalise.reason import Reason, Unusable


def text_of(value: Scalar) -> str:
    """Read an identifier as text; empty when there is none. Zero is an id, true is not."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column with gaps makes floats of its integers
    if isinstance(value, bool | float):
        raise Unusable(Reason.MALFORMED)
    text = str(value)
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # half a letter has no UTF-8
        raise Unusable(Reason.MALFORMED)
    return text if text.strip() else ""


def nfc(text: str) -> str:
    """One spelling for é; no vendor asks for it, but the hash must not depend on who typed it [C]."""
    return unicodedata.normalize("NFC", text)


def lower(text: str) -> str:
    return nfc(nfc(text).lower())


def spaced(text: str) -> str:
    """Trim, and make one space of several."""
    return " ".join(text.split())


def is_punctuation(letter: str) -> bool:
    """Unicode's punctuation and symbols, which include ASCII's, and the backtick and ´ typed for an apostrophe."""
    category = unicodedata.category(letter)
    return category[0] in "PS" or category == "Cc" or letter in string.punctuation


def without_punctuation(text: str) -> str:
    """Drop punctuation, keep letters of any alphabet and the spaces between words."""
    return spaced("".join(letter for letter in spaced(nfc(text)) if not is_punctuation(letter)))


def present(text: str) -> str:
    if not text:
        raise Unusable(Reason.EMPTY)
    return text


def utf8_length(text: str) -> int:
    return len(text.encode())


def at_most(limit: int, rule: Normaliser, length: Callable[[str], int] = len) -> Normaliser:
    """Blank what is longer: cut, it would be another's."""

    def limited(text: str, context: Context) -> str:
        normal = rule(text, context)
        if length(normal) > limit:
            raise Unusable(Reason.TOO_LONG)
        return normal

    return limited

"""Birth and gender, for Meta."""

import re
from datetime import date

from reverse_etl.normalise.platform import Context
from reverse_etl.normalise.reason import Reason, Unusable

_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?", re.ASCII)  # ISO only: 03/04 is two different days
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
GENDERS = {"f": "f", "female": "f", "woman": "f", "m": "m", "male": "m", "man": "m"}


def birth_year(text: str, _: Context) -> str:
    """`YYYY` [D], of a date or alone; a year nobody living is born in is a default value [C]."""
    return f"{_part(text, 0, range(1900, 2100)):04}"


def birth_month(text: str, _: Context) -> str:
    """`01` to `12` [D]."""
    return f"{_part(text, 1, range(1, 13)):02}"


def birth_day(text: str, _: Context) -> str:
    """`01` to `31` [D]."""
    return f"{_part(text, 2, range(1, 32)):02}"


def gender(text: str, _: Context) -> str:
    """`m` or `f` [D]. Anything else is left out: one peer makes men of them, the other hashes the word."""
    word = text.strip().lower()
    if word not in GENDERS:
        raise Unusable(Reason.UNKNOWN_VALUE)
    return GENDERS[word]


def _part(text: str, place: int, allowed: range) -> int:
    text = text.strip()
    if written := _DATE.fullmatch(text):
        year, month, day = map(int, written.groups())
        try:
            date(year, month, day)
        except ValueError:
            raise Unusable(Reason.MALFORMED) from None
        number = (year, month, day)[place]
    elif _NUMBER.fullmatch(text):
        number = int(text)
    else:
        raise Unusable(Reason.MALFORMED)
    if number not in allowed:
        raise Unusable(Reason.MALFORMED)
    return number

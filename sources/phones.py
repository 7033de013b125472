"""Telephone numbers in E.164, worked out once per distinct value."""

from functools import lru_cache

import phonenumbers
import pyarrow as pa

REGION = "US"  # for numbers written without a country code


@lru_cache(maxsize=200_000)
def e164(text: str) -> str | None:
    """`(212) 555-0100 x12` -> `+12125550100`; null when no such number can exist."""
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def e164_column(column: pa.Array) -> pa.Array:
    """Turn a text column into the same rows in E.164."""
    encoded = column.dictionary_encode()
    numbers = pa.array([text and e164(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return numbers.take(encoded.indices)

"""Telephone numbers, through E.164.

Nobody can add a missing country code safely, and a national number that is hashed matches nobody, or somebody else:
without `+` or `00` a number needs the sync's `default_country`. Only the length is checked, as numbering plans grow
faster than libraries.

Written without `+`, a number has lost what says that its country code is one. So Meta's form isn't read back
without a default country, and never must be: raw values go in, hashes come out.
"""

import phonenumbers

from reverse_etl.normalise.platform import Context
from reverse_etl.normalise.reason import Reason, Unusable


def e164(text: str, context: Context) -> str:
    """`+` and digits; an extension is dropped. Google [D], X [D], Klaviyo [D], Twilio; others [K]."""
    country = context.default_country or None
    readings = [(text, country)]
    if text.strip().startswith("00"):
        readings.append((f"+{text.strip()[2:]}", None))  # dialled from most of the world, not from the US
    numbers = [number for reading in readings if (number := _parsed(*reading))]
    # an 00 can begin a number of the default country by length alone: one in service goes first, which is slow to tell
    judges = [phonenumbers.is_valid_number] if len(numbers) > 1 else []
    for is_plausible in (*judges, phonenumbers.is_possible_number):
        for number in numbers:
            if is_plausible(number):
                return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    raise Unusable(_flaw(text, country))


def digits(text: str, context: Context) -> str:
    """Country code and number, no `+`, no leading zeros: Meta [D], Snap [P]."""
    return e164(text, context).removeprefix("+")


def tiktok(text: str, context: Context) -> str:
    """With `+` unless `tiktok_phone_plus: false`: TikTok's sources contradict each other, unverified."""
    return e164(text, context) if context.tiktok_phone_plus else digits(text, context)


def _parsed(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _flaw(text: str, country: str | None) -> Reason:
    """A number that only lacks its country can be helped by a setting; say so."""
    if country is None and not text.strip().startswith(("+", "＋", "00")):
        try:
            phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException as error:
            if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
                return Reason.PHONE_COUNTRY_UNKNOWN
    return Reason.MALFORMED

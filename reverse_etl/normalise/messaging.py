"""Tools that write to people: they need readable values, and a hash is refused.

Their vendors say little about spelling. Addresses in lower case and numbers in E.164 keep one person one member [C].
Names are as written. Traits aren't identifiers and aren't here.
"""

from reverse_etl.normalise.platform import Platform, Rule, any_of
from reverse_etl.normalise.rules import emails, ids, names, phones, places
from reverse_etl.normalise.rules.text import at_most, utf8_length

EMAIL = Rule(emails.lowered)
PHONE = Rule(phones.e164)
NAMES = {"first_name": Rule(names.written), "last_name": Rule(names.written)}

KLAVIYO = Platform(
    {
        "email": EMAIL,
        "phone": PHONE,  # E.164, or the whole request is refused [D]
        "external_id": Rule(at_most(255, ids.raw)),  # [D]
        **NAMES,
        "city": Rule(places.written),
        "state": Rule(places.written),  # location.region
        "zip": Rule(places.written),
        "country": Rule(places.written),
    },
    enough=any_of("email", "phone", "external_id"),
)

BRAZE = Platform(
    {
        "external_id": Rule(at_most(987, ids.raw, utf8_length)),  # "must be fewer than 988 bytes" [P]
        "email": EMAIL,
        "phone": PHONE,  # [K]
        **NAMES,
    },
    enough=any_of("external_id", "email", "phone"),
)

HUBSPOT = Platform(  # contacts
    {
        "email": EMAIL,  # in lower case: one address twice in a batch refuses the batch [P]
        "external_id": Rule(ids.raw),  # a unique property of yours; a string even when it is a number [P]
        "phone": PHONE,
        **NAMES,
    },
    enough=any_of("email", "external_id"),
)

SALESFORCE = Platform(  # upserts by an external id field; twice in one call fails both [P]
    {"external_id": Rule(ids.raw), "email": EMAIL, "phone": PHONE, **NAMES},
    enough=any_of("external_id", "email"),
)

MAILCHIMP = Platform(  # members are named by the MD5 of the address [P]: `mailchimp_subscriber_hash`
    {"email": EMAIL, "phone": PHONE, **NAMES},
    enough=any_of("email"),
)

ITERABLE = Platform(  # answers with addresses in lower case [P]
    {"email": EMAIL, "external_id": Rule(ids.raw), "phone": PHONE, **NAMES},
    enough=any_of("email", "external_id"),
)

CUSTOMERIO = Platform(
    {
        "external_id": Rule(at_most(150, ids.raw, utf8_length)),  # [P]
        "email": EMAIL,
        "phone": PHONE,  # [K]
        **NAMES,
    },
    enough=any_of("external_id", "email"),
)

TWILIO = Platform({"phone": PHONE}, enough=any_of("phone"))  # [K]

RESEND = Platform({"email": EMAIL}, enough=any_of("email"))  # [C]

MESSAGING = {
    "klaviyo": KLAVIYO,
    "braze": BRAZE,
    "hubspot": HUBSPOT,
    "salesforce": SALESFORCE,
    "mailchimp": MAILCHIMP,
    "iterable": ITERABLE,
    "customerio": CUSTOMERIO,
    "twilio": TWILIO,
    "resend": RESEND,
}

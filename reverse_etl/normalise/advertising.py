"""Platforms that match hashes: what leaves for them must not be readable, except where they take it only so.

Snap and X are second-hand or terse; see [P] and [K]. Reddit, Bing, The Trade Desk and Amazon have no rule here.
"""

from reverse_etl.normalise.platform import Platform, Rule, any_of, hashed
from reverse_etl.normalise.rules import emails, ids, names, people, phones, places
from reverse_etl.normalise.rules.text import at_most

META = Platform(  # custom audiences
    {
        "email": hashed(emails.lowered),  # [D]
        "phone": hashed(phones.digits),  # [D]
        "first_name": hashed(names.meta),  # [D]
        "last_name": hashed(names.meta),  # [D]
        "first_initial": hashed(names.meta_initial),  # [D]
        "birth_year": hashed(people.birth_year),  # [D]
        "birth_month": hashed(people.birth_month),  # [D]
        "birth_day": hashed(people.birth_day),  # [D]
        "gender": hashed(people.gender),  # [D]
        "city": hashed(places.meta_city),  # [D]
        "state": hashed(places.meta_state),  # [D]
        "zip": hashed(places.meta_zip),  # [D]
        "country": hashed(places.meta_country),  # [D]
        "mobile_ad_id": Rule(ids.mobile_ad_id_lowered),  # never hashed [D]
        "external_id": Rule(ids.opaque),  # never hashed, kept for 90 days [D]
    },
    # Meta names no smallest set: a name with a place or a birthday may find somebody, less won't [C]
    enough=any_of(
        "email",
        "phone",
        "mobile_ad_id",
        "external_id",
        "first_name last_name zip",
        "first_name last_name city",
        "first_name last_name birth_year birth_month birth_day",
    ),
    parts={"date_of_birth": ("birth_year", "birth_month", "birth_day")},
)

_ADDRESS = "first_name last_name zip country"

GOOGLE = Platform(  # Customer Match, through the Data Manager API or Google Ads
    {
        "email": hashed(emails.google),  # [D]
        "phone": hashed(phones.e164),  # [D]
        "first_name": hashed(names.google),  # [D]
        "last_name": hashed(names.google),  # [D]
        "zip": Rule(places.google_zip),  # never hashed [D]
        "country": Rule(places.country),  # never hashed, upper case [D]
        "mobile_ad_id": Rule(ids.mobile_ad_id),  # never hashed, and in a request of its own [D]
        "external_id": Rule(ids.opaque),  # userIdData.userId, likewise [D]
    },
    enough=any_of("email", "phone", "mobile_ad_id", "external_id", _ADDRESS),
    together=any_of(_ADDRESS),  # an address needs all four parts [D]
)

TIKTOK = Platform(  # audience segments
    {
        "email": hashed(emails.tiktok),  # [D]
        "phone": hashed(phones.tiktok),  # [D] and [P] contradict each other
        "idfa": hashed(ids.mobile_ad_id_lowered),  # IDFA_SHA256 [P]
        "aaid": hashed(ids.mobile_ad_id_lowered),  # AAID_SHA256 [P]
    },
    enough=any_of("email", "phone", "idfa", "aaid"),
)

LINKEDIN = Platform(  # DMP segments of users
    {
        "email": hashed(emails.lowered),  # [D]; peers hash it as it is
        "aaid": Rule(ids.mobile_ad_id),  # GOOGLE_AID, raw [D]
        "first_name": Rule(at_most(35, names.written)),  # readable, up to 35 letters [D]
        "last_name": Rule(at_most(35, names.written)),  # [D]
        "country": Rule(places.country),  # readable [D]; alpha-2 in upper case [K]
        "title": Rule(names.written),  # [D]
        "company": Rule(names.written),  # [D]
    },
    enough=any_of("email", "aaid", "first_name last_name"),  # without ids both names are required [D]
)

SNAP = Platform(  # segments; one type of identifier per request
    {
        "email": hashed(emails.lowered),  # [P]
        "phone": hashed(phones.digits),  # [P]
        "mobile_ad_id": hashed(ids.mobile_ad_id_lowered),  # [P]; the case [K]
    },
    enough=any_of("email", "phone", "mobile_ad_id"),
)

X = Platform(  # custom audiences
    {
        "email": hashed(emails.lowered),  # [D]
        "phone": hashed(phones.e164),  # [D]
        "mobile_ad_id": hashed(ids.mobile_ad_id_lowered),  # that it is hashed is [K]
        "external_id": Rule(ids.opaque),  # partner_user_id, raw [D]
    },
    enough=any_of("email", "phone", "mobile_ad_id", "external_id"),
)

ADVERTISING = {
    "meta": META,
    "google": GOOGLE,
    "tiktok": TIKTOK,
    "linkedin": LINKEDIN,
    "snap": SNAP,
    "x": X,
}

"""How Google reads a request of the Data Manager API: which fields there are, which values, and how it says no."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from reverse_etl.sandbox.vendor import Answer

SHA256 = re.compile(r"[0-9a-f]{64}")
POSTAL_CODE, REGION = re.compile(r"[A-Za-z0-9 -]{3,10}"), re.compile(r"[A-Z]{2}")
CONSENTS = {"CONSENT_GRANTED", "CONSENT_DENIED", "CONSENT_STATUS_UNSPECIFIED"}
MOST_IDENTIFIERS, MOST_DESTINATIONS = 10, 10

CONSENT = {"adUserData": str, "adPersonalization": str}
ACCOUNT = {"accountType": str, "accountId": str}
DESTINATION = {
    "reference": str,
    "operatingAccount": ACCOUNT,
    "loginAccount": ACCOUNT,
    "linkedAccount": ACCOUNT,
    "productDestinationId": str,
}
ADDRESS = {"givenName": str, "familyName": str, "regionCode": str, "postalCode": str}
USER_DATA = {"userIdentifiers": [{"emailAddress": str, "phoneNumber": str, "address": ADDRESS}]}
MEMBER = {
    "destinationReferences": [str],
    "userData": USER_DATA,
    "mobileData": {"mobileIds": [str]},
    "userIdData": {"userId": str},
    "consent": CONSENT,
}
CLICK = {"gclid": str, "gbraid": str, "wbraid": str, "sessionAttributes": str}
EVENT = {
    "destinationReferences": [str],
    "transactionId": str,
    "eventTimestamp": str,
    "conversionValue": float,
    "currency": str,
    "eventSource": str,
    "eventName": str,
    "adIdentifiers": CLICK,
    "userData": USER_DATA,
    "consent": CONSENT,
}
ENVELOPE = {"destinations": [DESTINATION], "validateOnly": bool, "encoding": str}
ADDING = {"consent": CONSENT, "termsOfService": {"customerMatchTermsOfServiceStatus": str}}
REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "audienceMembers:ingest": {**ENVELOPE, **ADDING, "audienceMembers": [MEMBER]},
    "audienceMembers:remove": {**ENVELOPE, "audienceMembers": [MEMBER]},
    "audienceMembers:removeAll": {"destinations": [DESTINATION], "validateOnly": bool, "removeAsOfTime": str},
    "events:ingest": {**ENVELOPE, "consent": CONSENT, "events": [EVENT]},
}
Violation = tuple[str, str, str]  # field, reason, description


def refused(
    violations: Iterable[Violation] = (),
    *,
    status: int = 400,
    name: str = "INVALID_ARGUMENT",
    metadata: Mapping[str, str] | None = None,
) -> Answer:
    """Refuse the whole request: nothing of it is processed."""
    known = {"requestId": "t-1", **(metadata or {})}
    info = {"reason": name, "domain": "datamanager.googleapis.com", "metadata": known}
    details: list[dict[str, Any]] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}]
    named = [
        {"field": field, "description": said, **({"reason": reason} if reason else {})}
        for field, reason, said in violations
    ]
    if named:
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": named})
    message = "There was a problem with the request."
    return Answer(status, {"error": {"code": status, "status": name, "message": message, "details": details}})


def unknown_field(said: Any, known: Any, path: str = "") -> Violation | None:
    """Find the first field that isn't in Google's schema, or isn't of its type."""
    if isinstance(known, dict) and isinstance(said, dict):
        if stray := [name for name in said if name not in known]:
            return path, "", f'Invalid JSON payload received. Unknown name "{stray[0]}": Cannot find field.'
        below = ((value, known[name], f"{path}.{_snake(name)}".lstrip(".")) for name, value in said.items())
    elif isinstance(known, list) and isinstance(said, list):
        below = ((value, known[0], f"{path}[{place}]") for place, value in enumerate(said))
    else:
        is_number = known is float and isinstance(said, int | float) and not isinstance(said, bool)
        is_right = is_number or (isinstance(known, type) and isinstance(said, known))
        return None if is_right else (path, "", "Invalid value.")
    return next((flaw for one in below if (flaw := unknown_field(*one))), None)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def bad_consent(consent: Mapping[str, str], path: str) -> list[Violation]:
    return [
        (f"{path}.{_snake(n)}", "INVALID_ENUM_VALUE", "No such consent.")
        for n, v in consent.items()
        if v not in CONSENTS
    ]


def bad_user_data(data: Mapping[str, Any], path: str) -> list[Violation]:
    """Hashes must be hashes; what must be readable, readable."""
    identifiers = data.get("userIdentifiers") or []
    if not identifiers:
        return [(path, "REQUIRED_FIELD_MISSING", "user_identifiers is required.")]
    if len(identifiers) > MOST_IDENTIFIERS:
        return [(path, "TOO_MANY_USER_IDENTIFIERS", "At most 10.")]
    found = (_bad_identifier(one, f"{path}.user_identifiers[{place}]") for place, one in enumerate(identifiers))
    return [violation for violation in found if violation]


def _bad_identifier(said: Mapping[str, Any], path: str) -> Violation | None:
    if len(said) != 1:
        return path, "INVALID_AUDIENCE_MEMBER", "Exactly one identifier."
    address = said.get("address") or {}
    hashes = {"email_address": said.get("emailAddress"), "phone_number": said.get("phoneNumber")}
    hashes |= {"address.given_name": address.get("givenName"), "address.family_name": address.get("familyName")}
    for name, value in hashes.items():
        if value is not None and not SHA256.fullmatch(value):
            return f"{path}.{name}", "INVALID_SHA256_FORMAT", "Not a SHA-256 in hex."
    return _bad_address(address, f"{path}.address") if "address" in said else None


def _bad_address(address: Mapping[str, Any], path: str) -> Violation | None:
    if set(address) < set(ADDRESS):
        return path, "REQUIRED_FIELD_MISSING", "An address has four parts."
    if not REGION.fullmatch(address["regionCode"]):
        return f"{path}.region_code", "INVALID_REGION_CODE", "Not alpha-2."
    if not POSTAL_CODE.fullmatch(address["postalCode"]):
        return f"{path}.postal_code", "INVALID_POSTAL_CODE", "Not a postal code."
    return None

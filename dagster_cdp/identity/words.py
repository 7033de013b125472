"""What the columns of identity mean, in words."""

NAMES = {
    "user_id": "user id",
    "loyalty_number": "loyalty number",
    "crm_contact_id": "CRM contact",
    "support_user_id": "support user",
    "order_id": "order",
    "email": "e-mail",
    "email_sha256": "e-mail hash",
    "phone": "phone",
    "card_fingerprint": "card",
    "device_id": "device",
    "anonymous_id": "cookie",
}
RULES = {
    "same_record": "in one record",
    "must_link": "joined by a person",
    "cannot_link": "parted by a person",
    "probable_person": "probably one person",
    "probable_device": "probably one device",
}
CAUSES = {"new": "came", "merge": "merged in", "split": "parted"}


def name_of(identifier_type: str) -> str:
    return NAMES.get(identifier_type, identifier_type.replace("_", " "))


def rule_in_words(rule: str) -> str:
    return RULES.get(rule, rule.replace("_", " "))


def reason_in_words(reason: str, detail: str | None) -> str:
    """Why evidence joins nobody; `detail` is the identifier type of which there would be too many."""
    kind = name_of(detail) if detail else "identifier"
    return {
        "blocked_value": "a placeholder that stands for nobody",
        "shared_identifier": f"seen with more than one {kind}: shared, so it joins nobody",
        "too_many_for_one_profile": f"one profile would have too many of type {kind}",
        "cannot_link": "a person decided that they are not one",
    }.get(reason, reason.replace("_", " "))


def apart_in_words(how: str) -> str:
    return {
        "between": "Evidence between them was refused:",
        "over_shared": "Both were seen with the same identifier, which joins nobody:",
        "same_surroundings": "Evidence leads from one to the other over further profiles, which limits keep apart:",
        "blocked_value": "One of them is a placeholder that joins nobody.",
        "nothing": "No evidence links them.",
    }[how]

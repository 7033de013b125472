"""Why a value can't be used: one word each, never the value."""

from enum import StrEnum


class Reason(StrEnum):
    EMPTY = "empty"  # nothing is left of it
    MALFORMED = "malformed"  # not of the field's shape, or not text at all
    UNKNOWN_VALUE = "unknown_value"  # of a closed list, and not on it: a gender, a country, a US state
    PLACEHOLDER = "placeholder"  # the all-zero advertising id of those who opted out
    TOO_LONG = "too_long"
    NOT_LATIN = "not_latin"  # a letter the platform doesn't take; without it the hash would match nobody
    PHONE_COUNTRY_UNKNOWN = "phone_country_unknown"  # a national number, and no default_country
    NOT_A_HASH = "not_a_hash"  # the mapping says it is hashed
    ALREADY_HASHED = "already_hashed"  # the mapping says it isn't
    HASH_OF_NOTHING = "hash_of_nothing"  # somebody hashed an empty text
    HASH_NOT_TAKEN = "hash_not_taken"  # the platform wants this field readable
    PERSONAL_VALUE = "personal_value"  # an e-mail address where an opaque id belongs
    NOT_TAKEN = "not_taken"  # the platform has no such field
    INCOMPLETE = "incomplete"  # part of a group the platform takes whole or not at all
    NOT_ENOUGH = "not_enough"  # usable, but what is left finds nobody


class Unusable(ValueError):
    """A value is of no use to the platform; it carries the reason and nothing of the value."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason

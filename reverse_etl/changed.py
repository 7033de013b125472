"""Which fields of a row differ from what was last delivered, told by a short hash of each; never by the values.

Made only for rows that are sent, and only where the destination asks: a plan costs the same with and without.
"""

import hashlib
import json
from collections.abc import Mapping

from reverse_etl.destination import Change, Scalar

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
BYTES = 4  # of a hash: of 4,000,000,000 changes one is taken for none


def digests(member_id: str, fields: Mapping[str, Scalar]) -> dict[str, str]:
    """Hash each field, with the member: the same value of two people has two hashes."""
    return {
        name: hashlib.blake2b(f"{member_id}/{name}/{_ENCODE(value)}".encode(), digest_size=BYTES).hexdigest()
        for name, value in fields.items()
    }


def changed(change: Change, delivered: str | None) -> frozenset[str] | None:
    """Name the fields that differ from `delivered`; None when what is there isn't known for certain."""
    if change.operation != "change" or not delivered:
        return None
    before, now = json.loads(delivered), digests(change.member_id, change.fields)
    return frozenset(name for name, digest in now.items() if before.get(name) != digest)


def encoded(change: Change) -> str:
    """Write the hashes as the journal keeps them."""
    return _ENCODE(digests(change.member_id, change.fields))

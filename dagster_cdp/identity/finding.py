"""Whom an e-mail address, a phone number, any other identifier or a profile id stands for."""

import hashlib
import re
from dataclasses import dataclass

from reverse_etl.desired import columns_of
from reverse_etl.warehouse import Warehouse

PROFILE_ID = re.compile(r"p_[0-9a-f]{20}")
NODE = re.compile(r"node:(\d{1,19})")


class NotFound(LookupError):
    """What was asked for stands for nobody; the message never repeats it."""


class NotBuilt(RuntimeError):
    """The tables of identity are missing or of an older version."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for: an identifier (`node_id`) or a profile as such; whose it is now."""

    profile_id: str | None  # None: a blocked value, which is nobody's
    node_id: int | None = None
    identifier_type: str | None = None
    former_profile_id: str | None = None


def find(warehouse: Warehouse, asked: str, identifier_type: str | None = None) -> Found:
    """Find by value (brought to the form that staging gives it), by `node:<id>` or by profile id, also an old one.

    Raises NotFound when nothing or more than one thing is meant.
    """
    check_built(warehouse)
    if identifier_type is None and PROFILE_ID.fullmatch(asked.strip()):
        return _profile(warehouse, asked.strip())
    if identifier_type is None and (node := NODE.fullmatch(asked.strip())):
        return _node(warehouse, int(node[1]))
    return _identifier(warehouse, spellings(asked), identifier_type)


def check_built(warehouse: Warehouse) -> None:
    if "group_id" not in columns_of(warehouse, "identity", "profile_identifiers"):
        raise NotBuilt("identity is not built, or by an older version: run `cdp run --again`")


def spellings(asked: str) -> list[str]:
    """The forms in which staging may have kept a value: e-mail and hashes in lower case, phones as digits."""
    bare = asked.strip()
    forms = [bare, bare.lower()]
    if "@" in bare:
        address = re.sub(r"^.*[<:]|>.*$", "", bare).strip().lower()
        forms += [address, hashlib.sha256(address.encode()).hexdigest()]
    digits = re.sub(r"[ ()./-]", "", bare)
    if re.fullmatch(r"\+?[0-9]{7,17}", digits):
        forms += [digits, re.sub(r"^00", "+", digits)]
    return list(dict.fromkeys(forms))


def _profile(warehouse: Warehouse, profile_id: str) -> Found:
    if warehouse.execute("select 1 from identity.profile_identifiers where profile_id = ? limit 1", [profile_id]):
        return Found(profile_id)
    moved = "select current_profile_id from identity.profile_redirects where profile_id = ?"
    rows = [str(current) for (current,) in warehouse.execute(moved, [profile_id]) if current]
    if not rows:
        raise NotFound("no profile ever had this id: check it, or ask for one of the person's identifiers")
    return Found(rows[0], former_profile_id=profile_id)


def _node(warehouse: Warehouse, node_id: int) -> Found:
    return _one(warehouse.execute(_SIGHTED.format(which="node_id = ?"), [node_id, node_id]), None)


def _identifier(warehouse: Warehouse, forms: list[str], identifier_type: str | None) -> Found:
    which = f"identifier_value in ({', '.join('?' * len(forms))})" + (
        " and identifier_type = ?" if identifier_type else ""
    )
    parameters = [*forms, *([identifier_type] if identifier_type else [])]
    return _one(warehouse.execute(_SIGHTED.format(which=which), parameters * 2), identifier_type)


# Placeholders are nobody's, so only the list of all that was sighted has them.
_SIGHTED = """
select node_id, identifier_type, profile_id from identity.profile_identifiers where {which}
union all
select node_id, identifier_type, null from identity.identifiers where is_blocked and {which}
"""


def _one(rows: list[tuple[object, ...]], identifier_type: str | None) -> Found:
    if not rows:
        among = f" of type {identifier_type}" if identifier_type else ""
        raise NotFound(
            f"no identifier{among} has this value: check the spelling (phones as +<country><number>), or run "
            "`cdp run` if it came in just now"
        )
    nodes = {node_id for node_id, _, _ in rows}
    if len(nodes) > 1:
        kinds = ", ".join(sorted({str(kind) for _, kind, _ in rows}))
        raise NotFound(f"{len(nodes)} identifiers have this value: say which with --type, one of {kinds}")
    node_id, kind, profile_id = min(rows, key=lambda row: str(row[1]))
    return Found(str(profile_id) if profile_id else None, int(str(node_id)), str(kind))

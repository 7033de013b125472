"""Members of Google's lists: who a row is, who is meant by one, and who can't be processed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reverse_etl.sandbox.store import Store

UNPROCESSABLE = "0" * 8
REASON = "PROCESSING_ERROR_REASON_"
Document = dict[str, Any]


def add(store: Store, kind: str, said: Document, now: datetime) -> dict[str, int]:
    counts: dict[str, int] = {}
    taken: dict[str, Document] = {}
    for member in said["audienceMembers"]:
        if reason := unprocessable(member, said.get("consent") or {}):
            counts[reason] = counts.get(reason, 0) + 1
        else:
            taken[key_of(member)] = {"added_at": now.replace(tzinfo=UTC).isoformat(), "names": names_of(member)}
    store.put_all(kind, taken)
    return counts


def unprocessable(row: Mapping[str, Any], consent: Mapping[str, str]) -> str:
    """Why a row that looks well isn't processed; its own consent goes before that of the request."""
    given = {**consent, **(row.get("consent") or {})}
    said = [given.get(name, "CONSENT_STATUS_UNSPECIFIED") for name in ("adUserData", "adPersonalization")]
    if "CONSENT_DENIED" in said:
        return f"{REASON}DENIED_CONSENT"
    if set(said) != {"CONSENT_GRANTED"}:
        return f"{REASON}NO_CONSENT"
    return f"{REASON}INTERNAL_ERROR" if any(name.split("=")[1][:8] == UNPROCESSABLE for name in names_of(row)) else ""


def names_of(row: Mapping[str, Any]) -> list[str]:
    """What a row can be found by."""
    names = [f"mobile={id_}" for id_ in (row.get("mobileData") or {}).get("mobileIds", [])]
    names += [f"user={id_}" for id_ in (row.get("userIdData") or {}).values()]
    for one in (row.get("userData") or {}).get("userIdentifiers", []):
        for name, value in one.items():
            names.append(
                f"{name}={value if isinstance(value, str) else '/'.join(value[part] for part in sorted(value))}"
            )
    return sorted(names)


def key_of(row: Mapping[str, Any]) -> str:
    return "|".join(names_of(row))


def found(store: Store, kind: str, rows: list[Document]) -> set[str]:
    """Find who is meant: by all identifiers, else by any."""
    exact = set(store.some(kind, [key_of(row) for row in rows]))
    vague = {name for row in rows if key_of(row) not in exact for name in names_of(row)}
    if not vague:
        return exact
    return exact | {key for key, one in store.all(kind).items() if vague.intersection(one["names"])}


def remove_older(store: Store, kind: str, until: datetime) -> None:
    """Forget who was last added before that."""
    added = store.all(kind).items()
    store.drop_all(kind, [key for key, one in added if datetime.fromisoformat(one["added_at"]) < until])


def moment(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)

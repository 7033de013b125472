"""What of a profile a key may see: its scopes, as far as the person consents to its purposes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from reverse_etl.serving.keys import CONFIDENCES, Key


def view(document: Mapping[str, Any], key: Key, wanted: Sequence[str]) -> dict[str, Any]:
    """Give the wanted sections, or the reason why one is withheld; nothing of a person who withholds everything."""
    reason = _withheld(document, key)
    shown: dict[str, Any] = {}
    withheld: dict[str, str] = {}
    for scope in wanted:
        # What somebody decided must be known by who is to respect it.
        if reason and scope != "consents":
            withheld[scope] = reason
        else:
            shown[scope] = _section(document, key, scope)
    head = {} if reason else {"profile_id": document["profile_id"], "confidence": document["confidence"]}
    return {**head, **shown, **({"withheld": withheld} if withheld else {})}


def _withheld(document: Mapping[str, Any], key: Key) -> str:
    """Why nothing may be shown; empty when it may. One denial outweighs any grant, no row means no."""
    if CONFIDENCES.index(document["confidence"] or "loose") < CONFIDENCES.index(key.min_confidence):
        return "unsure"
    granted = {
        choice["purpose"]
        for choice in document["consents"] or ()
        if choice["channel"] == key.channel and choice["status"] == "granted"
    }
    return "" if set(key.asked) <= granted else "no_consent"


def _section(document: Mapping[str, Any], key: Key, scope: str) -> Any:
    found = document[scope]
    if scope == "traits":
        return {name: value for name, value in (found or {}).items() if key.traits is None or name in key.traits}
    if scope == "audiences":
        return [name for name in found or () if key.audiences is None or name in key.audiences]
    return (found or {}) if scope == "identity" else (found or [])

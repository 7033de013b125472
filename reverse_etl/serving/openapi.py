"""The API's own description, served at /openapi.json."""

from typing import Any

from reverse_etl.serving.document import EVENT, IDENTITY, TRAITS
from reverse_etl.serving.keys import SCOPES

_JSON = "application/json"


def _error(description: str) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _anything(names: tuple[str, ...]) -> dict[str, Any]:
    return _object({name: {} for name in names})


_TEXT = {"type": "string"}
_CONSENT = _object(dict.fromkeys(("purpose", "channel", "status", "decided_at"), _TEXT))
_RESPONSES = {
    "200": {
        "description": "The profile, as far as key and person allow.",
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Profile"}}},
    },
    "400": _error("The identifier or include can't be read."),
    "401": _error("No key, an unknown one, or one that has expired."),
    "403": _error("The key has not that scope, or may not ask by such an identifier."),
    "404": _error("Nobody is known by this identifier."),
    "429": _error("Too many requests for this key; see Retry-After."),
    "503": _error("Nothing is published, or what is published is too old."),
}
_INCLUDE = {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}, "minItems": 1}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Profile API",
        "version": "1",
        "description": "Who is this, for the website and the support desk. Sections come as far as the key's scopes "
        "reach and the person consents to its purposes through its channel; `withheld` says why one is missing.",
    },
    "security": [{"key": []}],
    "paths": {
        "/v1/profiles/{identifier}": {
            "get": {
                "summary": "Find a profile",
                "parameters": [
                    {
                        "name": "identifier",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "minLength": 1, "maxLength": 320},
                        "description": "`user_id:…`, `anonymous_id:…`, `profile_id:p_…`, `email:…`, `phone:+…`, or "
                        "`sha256:<hex>` of the normalised value, so that no personal value stands in an address.",
                    },
                    {"name": "include", "in": "query", "schema": _INCLUDE, "style": "form", "explode": False},
                ],
                "responses": _RESPONSES,
            }
        },
        "/v1/profiles/lookup": {
            "post": {
                "summary": "Find a profile by a value that shall not stand in an address",
                "requestBody": {
                    "required": True,
                    "content": {
                        _JSON: {"schema": _object({"identifier": _TEXT, "include": _INCLUDE}, ("identifier",))}
                    },
                },
                "responses": {**_RESPONSES, "413": _error("The body is too large.")},
            }
        },
        "/health": {
            "get": {"summary": "Whether it can answer", "security": [], "responses": {"200": {"description": "Yes."}}}
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Error": _object({"error": _object({"code": _TEXT, "message": _TEXT}, ("code", "message"))}, ("error",)),
            "Profile": _object(
                {
                    "profile_id": _TEXT,
                    "confidence": {"type": "string", "enum": ["exact", "strict", "loose"]},
                    "identity": _anything(IDENTITY),
                    "traits": _anything(TRAITS),
                    "consents": {"type": "array", "items": _CONSENT},
                    "audiences": {"type": "array", "items": _TEXT},
                    "events": {"type": "array", "items": _anything(EVENT)},
                    "withheld": {"type": "object", "additionalProperties": {"enum": ["no_consent", "unsure"]}},
                }
            ),
        },
    },
}

"""The OpenAPI document, made of the declared routes."""

import re
from http import HTTPStatus
from typing import Any

from sources.collector.events import encode
from sources.collector.routes import ROUTES, Route

REFERENCE = {"$ref": "#/components/schemas/Answer"}
# What an event must be is not said here: one that isn't is answered with 200 and kept with its reason.
BODIES: dict[str, Any] = {
    "event": {"type": "object", "description": "One call of Segment's specification."},
    "batch": {
        "type": "object",
        "required": ["batch"],
        "properties": {"batch": {"type": "array", "items": {"type": "object"}, "description": "The calls."}},
    },
    "webhook": {"type": "object", "description": "The delivery; its bytes are signed."},
    "anything": {},
}
SIGNED = {"event", "batch"}


def document() -> bytes:
    """Return it as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route)
    return encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Collector", "version": "1", "description": "Takes events and webhooks."},
            "paths": paths,
            "components": {
                "schemas": {
                    "Answer": {
                        "type": "object",
                        "required": ["success"],
                        "properties": {"success": {"type": "boolean"}, "code": {"type": "string"}},
                    }
                },
                "securitySchemes": {"writeKey": {"type": "http", "scheme": "basic", "description": "The key as user."}},
            },
        }
    )


def operation(route: Route) -> dict[str, Any]:
    """Return one route as an operation."""
    found: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{re.sub(r'[^a-z0-9]+', '_', route.path.lower())}",
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": {str(status): response(route, status) for status in route.statuses},
    }
    if route.body != "nothing":
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": BODIES[route.body]}}}
    if route.body in SIGNED:
        found["security"] = [{"writeKey": []}]
    return found


def parameters(route: Route) -> list[dict[str, Any]]:
    opened = re.findall(r"{(\w+)}", route.path)
    text = {"type": "string"}
    return [
        *(
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in opened
        ),
        *({"name": name, "in": "query", "required": name == "writeKey", "schema": text} for name in route.query),
    ]


def response(route: Route, status: int) -> dict[str, Any]:
    """Success has the route's own type; every refusal is JSON with a code."""
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    is_own = status == HTTPStatus.OK and route.content_type != "application/json"
    if is_own:
        return {**found, "content": {route.content_type: {"schema": {"type": "string"}}}}
    is_answer = route.body != "nothing" or status >= HTTPStatus.BAD_REQUEST
    schema: dict[str, Any] = REFERENCE if is_answer and "health" not in route.path else {"type": "object"}
    found["content"] = {"application/json": {"schema": schema}}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) and route.body != "nothing":
        found["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}
    return found

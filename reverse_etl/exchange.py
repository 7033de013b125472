"""Requests and answers as most APIs have them: JSON, questions by query, a user and a password."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from reverse_etl.destination import Request, Response, Transport


def telling(path: str, body: Any, method: str = "POST") -> Request:
    """Tell something in JSON."""
    return Request(path, json.dumps(body).encode(), method)


def asking(path: str, query: Mapping[str, Any] | None = None) -> Request:
    """Ask for something; nothing personal may be in it, because paths end up in logs."""
    return Request(f"{path}?{urlencode(query, quote_via=quote)}" if query else path, b"", "GET")


def asking_for_people(path: str, query: Mapping[str, str]) -> Request:
    """Ask by what may be personal: kept out of the path until it is sent, by a transport that `completes` it."""
    return Request(path, urlencode(query).encode(), method="GET")


def completing(send: Transport) -> Transport:
    """Send the body of a GET as its query."""

    def sent(request: Request) -> Response:
        if request.method != "GET" or not request.body:
            return send(request)
        return send(replace(request, path=f"{request.path}?{request.body.decode()}", body=b""))

    return sent


def asked_for(address: str | None, name: str) -> str:
    """Read one part of the query of an address, such as a link to the next page; empty when it has none."""
    return parse_qs(urlsplit(address or "").query).get(name, [""])[0]


def basic(user: str, password: str) -> str:
    """Write a user and a password as HTTP's basic authorization."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def read(response: Response) -> Any:
    """Read an answer that may be anything; None when it is no JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def answers(response: Response) -> tuple[Response, ...]:
    """Every answer to these rows, oldest first."""
    return (*response.earlier, response)

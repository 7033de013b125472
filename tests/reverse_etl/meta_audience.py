"""A Custom Audience under test: how it is declared, and what the server has of it."""

import httpx
from ad_people import sync

from reverse_etl.destinations.meta_audiences import Destination

NAMES = ("email", "phone", "first_name", "last_name", "zip", "country", "external_id")
AUDIENCE = "238000001"


def meta(*names, audience=AUDIENCE, **options):
    return Destination(sync("meta_audiences", *(names or NAMES), options={"audience_id": audience, **options}))


def members(server, audience=AUDIENCE):
    return server.held("meta", f"members/{audience}")


def graph(server, method, path, body=None):
    url, headers = f"{server.url('meta')}/v25.0{path}", {"authorization": "Bearer sandbox"}
    return httpx.request(method, url, json=body, headers=headers)

"""A customer list of Google Ads under test: how it is declared, and what the server has of it."""

import httpx
from ad_people import sync

from reverse_etl.destinations.google_data_manager import Destination

NAMES = ("email", "phone", "first_name", "last_name", "zip", "country")
LIST = "7090784486"
# Of the vectors in normalise/vectors.yml.
JOHN = {
    "email": "cloudy.sanfrancisco+shopping@gmail.com",
    "phone": "+1 800 555 0100",
    "first_name": "Mr. John",
    "last_name": "Doe, Jr.",
    "zip": "94107",
    "country": "us",
}


def google(*names, **options):
    options = {"operating_account": "123-456-7890", "list_id": LIST, "customer_match_terms": "accepted", **options}
    return Destination(sync("google_data_manager", *(names or NAMES), options=options))


def members(server, list_id=LIST):
    return server.held("google", f"members/{list_id}")


def ask(server, verb, body, method="POST"):
    headers = {"authorization": "Bearer sandbox"}
    return httpx.request(method, f"{server.url('google')}/v1/{verb}", json=body, headers=headers)

"""Where the requests of a declared destination may go."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def checked_url(url: str) -> str:
    """Give an address back to which secrets may travel."""
    address = urlsplit(url)
    is_safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)
    if not is_safe or not address.hostname or address.username or address.query or address.fragment:
        raise ValueError("must be an https address, without a user, a query or a fragment")
    return url.rstrip("/")


def _stays_at_the_address(path: str) -> str:
    if not path.startswith("/") or path.startswith("//") or "/../" in f"{path}/" or "#" in path:
        raise ValueError("must start with one slash, and lead nowhere else")
    return path


Url = Annotated[str, AfterValidator(checked_url)]
Below = Annotated[str, AfterValidator(_stays_at_the_address)]

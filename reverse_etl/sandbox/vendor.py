"""What a vendor's server is: a class `Vendor` in `vendors/<name>.py`, from a call to an answer over its documents.

Nothing in it opens a socket or reads a clock. Members of an audience are documents of a kind `members/<audience>`:
the state page counts those as people. Optional: `failing`, and `environment`, variables with {url} in their values.
"""

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from reverse_etl.sandbox import vendors
from reverse_etl.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as the vendor sees it."""

    method: str
    path: str  # below the vendor, decoded: "/v1/lists"
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    now: datetime  # naive, UTC

    def json(self) -> Any:
        """Read the body; ValueError when it isn't JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """`json` is anything JSON knows; `content` is sent as it is instead, when given."""

    status: int = 200
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        if self.content is not None:
            return self.content
        return b"" if self.json is None else json.dumps(self.json).encode()


class Vendor(Protocol):
    """A vendor's server. All that one call does to its documents happens, or nothing when it raises."""

    name: str

    def handle(self, request: Call, store: Store) -> Answer: ...


def failure(vendor: Vendor | None, status: int, seconds: float) -> Answer:
    """Fail on demand as this vendor does (`failing(status, seconds)`, when it has one), or as HTTP does."""
    if failing := getattr(vendor, "failing", None):
        own: Answer = failing(status, seconds)
        return own
    waits = {"retry-after": f"{seconds:.0f}"} if status in {429, 503} else {}
    return Answer(status, {"error": "injected"}, headers=waits)


def environment(vendors: Iterable[Vendor], address: str) -> dict[str, dict[str, str]]:
    """By vendor, the variables that send to this server what is meant for it: a vendor's `environment`, filled in."""
    said = {vendor.name: getattr(vendor, "environment", {}) for vendor in vendors}
    return {
        name: {key: value.format(url=f"{address}/{name}") for key, value in variables.items()}
        for name, variables in sorted(said.items())
        if variables
    }


@cache
def all_vendors() -> dict[str, Vendor]:
    """Every vendor there is: the folder is the registry."""
    found: dict[str, Vendor] = {}
    for module in pkgutil.iter_modules(vendors.__path__):
        loaded = importlib.import_module(f"{vendors.__name__}.{module.name}")
        if hasattr(loaded, "Vendor"):
            found[loaded.Vendor.name] = loaded.Vendor()
    return found

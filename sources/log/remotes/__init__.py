"""Logs past one machine. One file is one kind, named after its scheme in `CDP_LOG_ADDRESS`; `objects` is every other.

A remote takes pieces of segments under their names and places. Whoever puts a piece again, because it never heard
that the first attempt arrived, changes nothing: readers go by the place.
"""

from importlib import import_module
from typing import Protocol

from sources.log.reader import Reads
from sources.refusals import BadConfiguration

BROKERS = ("nats", "kafka")
EXTRA = {name: f": pip install 'composable-cdp[{name}]'" for name in BROKERS}


class Remote(Protocol):
    """One log behind an address."""

    takes_open_segments: bool  # or whole, sealed ones only

    def put(self, lane: str, segment: str, offset: int, data: bytes) -> None:
        """Return when it is kept there. Raises LogFailed; then it may be there or not."""

    def reader(self) -> Reads: ...

    def close(self) -> None: ...


def remote_at(address: str) -> Remote:
    """Return the remote at `nats://…`, `kafka://…` or any address fsspec knows. Raises BadConfiguration."""
    scheme = address.partition("://")[0]
    kind = scheme if scheme in BROKERS else "objects"
    try:
        remote: Remote = import_module(f"{__name__}.{kind}").REMOTE(address)
    except ImportError as fault:
        raise BadConfiguration(
            f"CDP_LOG_ADDRESS {scheme}://… needs the package {fault.name}{EXTRA.get(kind, '')}"
        ) from None
    except Exception as fault:
        raise BadConfiguration(f"CDP_LOG_ADDRESS {scheme}://… can't be used: {fault}") from fault
    return remote

"""What a request says beside its body."""

from dataclasses import dataclass


@dataclass(slots=True)
class Facts:
    """What the request itself says, beside its body."""

    received_at: str  # ISO, milliseconds, Z
    address: str | None  # as far as the policy keeps it
    gpc: bool = False
    user_agent: str = ""
    sdk: str | None = None
    retries: bytes = b""  # `,"retryCount":3`, or nothing
    sent_at: bytes = b"null"  # as JSON; a batch says it for all of its events

"""The shape of what SDKs send, as far as the door looks at it; the rest stays the client's bytes."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

ABSENT = Raw(b"")
TYPES = {"track", "identify", "page", "screen", "group", "alias"}
Id = str | int | float | None


class Context(Struct, gc=False):
    """What of `context` decides something here."""

    userAgent: Any = None  # noqa: N815 - Segment's spelling, here and below
    ip: Any = None
    consent: Raw = ABSENT
    direct: Any = None


class Event(Struct, gc=False):
    """One event. A field of another type makes the whole invalid, and is named then."""

    type: str | None = None
    messageId: str | int | None = None  # noqa: N815
    event: str | None = None
    userId: Id = None  # noqa: N815
    anonymousId: Id = None  # noqa: N815
    context: Context | None = None
    sentAt: Raw = ABSENT  # noqa: N815


class Rest(Struct, gc=False):
    """What of an event is asked for seldom: by two types, and by events without an id."""

    previousId: Id = None  # noqa: N815
    groupId: Id = None  # noqa: N815
    timestamp: Any = None
    originalTimestamp: Any = None  # noqa: N815


class Batch(Struct, gc=False):
    """A batch; its context and integrations are defaults under those of each event."""

    batch: list[Raw]
    writeKey: str | None = None  # noqa: N815
    sentAt: Raw = ABSENT  # noqa: N815
    context: Raw = ABSENT
    integrations: Raw = ABSENT


class Batched(Struct, gc=False):
    """The same batch, its events read."""

    batch: list[Event]


class Key(Struct):
    """The write key in a body whose request has no other."""

    writeKey: str | None = None  # noqa: N815


decode_event = msgspec.json.Decoder(Event).decode
decode_rest = msgspec.json.Decoder(Rest).decode
decode_events = msgspec.json.Decoder(Batched).decode
decode_batch = msgspec.json.Decoder(Batch).decode
decode_context = msgspec.json.Decoder(Context).decode
decode_raw = msgspec.json.Decoder(Raw).decode
decode_any = msgspec.json.decode
decode_key = msgspec.json.Decoder(Key).decode
encode = msgspec.json.Encoder().encode
UNREADABLE = (msgspec.DecodeError, RecursionError)

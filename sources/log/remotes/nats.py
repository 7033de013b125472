"""NATS JetStream: one stream, a subject for each lane. Needs the extra `nats`.

JetStream answers a publisher before it syncs, every two minutes if nobody says otherwise: with `ack=broker` run it with
three replicas, or with `sync_interval: always` where the server has it.
"""

import asyncio
import threading
from collections.abc import Coroutine, Generator, Mapping
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.errors import TimeoutError as FetchTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from sources.log.broker import BrokerReader, Piece, Stream, pieces
from sources.log.reader import Reads
from sources.log.refusals import LogFailed

PATIENCE = 10.0  # seconds for one message
PAUSE = 1  # seconds between two attempts to connect again
BATCH = 32  # messages of at most half a megabyte
FORGOTTEN = 60.0  # seconds after which the server forgets a consumer whose reader was killed
SEGMENT, OFFSET = "Cdp-Segment", "Cdp-Offset"


class Jetstream:
    """`nats://[user:password@]host:port/<stream>`; the stream is created when it isn't there."""

    takes_open_segments = True

    def __init__(self, address: str) -> None:
        self.stream = urlsplit(address).path.strip("/") or "cdp-log"
        self._server = address.removesuffix(f"/{self.stream}")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._client: Client | None = None
        self._jetstream: JetStreamContext | None = None

    def put(self, lane: str, segment: str, offset: int, data: bytes) -> None:
        """One message after the other: a second that arrives without the first would hide it."""
        for at, piece in pieces(offset, data):
            name = {SEGMENT: segment, OFFSET: str(at), "Nats-Msg-Id": f"{lane}/{segment}:{at}:{len(piece)}"}
            self.run(self._publish(self.subject(lane), piece, name))

    def reader(self) -> Reads:
        return BrokerReader(Messages(self))

    def close(self) -> None:
        if self._client:
            self.run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def subject(self, lane: str) -> str:
        return f"{self.stream}.{lane}"

    def run(self, asked: Coroutine[Any, Any, Any]) -> Any:
        """Do it on the client's loop. Raises LogFailed for whatever the server or the way there had."""
        doing = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return doing.result(2 * PATIENCE)
        except NotFoundError:
            raise
        except (Exception, TooLate) as fault:  # noqa: BLE001 - the client has no root of its errors
            doing.cancel()
            raise LogFailed(f"NATS did not take or give a message: {type(fault).__name__}") from None

    async def jetstream(self) -> JetStreamContext:
        if self._jetstream is None:
            self._client = await nats.connect(
                self._server,
                connect_timeout=max(1, int(PATIENCE)),
                reconnect_time_wait=PAUSE,
                max_reconnect_attempts=-1,
                error_cb=_said,
            )
            found = self._client.jetstream(timeout=PATIENCE)
            try:
                await found.stream_info(self.stream)
            except NotFoundError:
                await found.add_stream(name=self.stream, subjects=[f"{self.stream}.>"])
            self._jetstream = found
        return self._jetstream

    async def _publish(self, subject: str, data: bytes, name: dict[str, str]) -> None:
        jetstream = await self.jetstream()
        await jetstream.publish(subject, data, timeout=PATIENCE, headers=name)


async def _said(fault: Exception) -> None:
    """Say nothing: whoever puts or reads is told."""


class Messages(Stream):
    """The messages of one subject; the cursor is the stream's sequence."""

    def __init__(self, remote: Jetstream) -> None:
        self._remote = remote

    def after(self, lane: str, cursors: Mapping[str, int]) -> Generator[Piece]:
        part = self._remote.stream
        at = cursors.get(part, 0)
        last = self._last(lane)
        if last is not None and last.seq == at + 1:  # a reader that keeps up needs no consumer
            yield piece(part, last.seq, last.headers, last.data)
        elif last is not None and last.seq > at:
            yield from self._fetched(lane, at, last.seq)

    def _fetched(self, lane: str, at: int, end: int) -> Generator[Piece]:
        """Fetch many messages in one round trip, by a consumer of our own that keeps no accounts."""
        part = self._remote.stream
        consumer = self._remote.run(self._consumer(lane, at + 1))
        try:
            while at < end and (batch := self._remote.run(fetched(consumer))):
                for message in batch:
                    at = message.metadata.sequence.stream
                    yield piece(part, at, message.headers, message.data)
        finally:
            with suppress(LogFailed):
                self._remote.run(consumer.unsubscribe())

    async def _consumer(self, lane: str, begin: int) -> JetStreamContext.PullSubscription:
        jetstream = await self._remote.jetstream()
        settings = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=begin,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=FORGOTTEN,
        )
        return await jetstream.pull_subscribe(self._remote.subject(lane), stream=self._remote.stream, config=settings)

    def ends(self, lane: str) -> dict[str, int]:
        last = self._last(lane)
        return {} if last is None else {self._remote.stream: last.seq}

    def _last(self, lane: str) -> Any:
        async def get() -> Any:
            jetstream = await self._remote.jetstream()
            return await jetstream.get_last_msg(self._remote.stream, self._remote.subject(lane))

        try:
            return self._remote.run(get())
        except NotFoundError:
            return None


async def fetched(consumer: JetStreamContext.PullSubscription) -> list[Any]:
    """Return what comes, or nothing: what was to come may have grown too old meanwhile."""
    try:
        return list(await consumer.fetch(BATCH, timeout=PATIENCE))
    except FetchTimeout:
        return []


def piece(part: str, sequence: int, headers: Mapping[str, str] | None, data: bytes | None) -> Piece:
    name = headers or {}
    return Piece(part, sequence, name.get(SEGMENT, ""), int(name.get(OFFSET, 0)), data or b"")


REMOTE = Jetstream

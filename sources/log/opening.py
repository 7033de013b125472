"""The log as configured: on this machine, shipped past it, or kept by a broker."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sources.configuration import Configuration
from sources.log.forwarder import FOLLOWER as SHIPPING
from sources.log.forwarder import Forwarder
from sources.log.reader import Reader, Reads
from sources.log.remotes import BROKERS, Remote, remote_at
from sources.log.stream import LaneStream
from sources.log.writer import Limits, Writer
from sources.refusals import BadConfiguration

WAREHOUSE = "warehouse"  # the follower that loading is


@dataclass(frozen=True)
class OpenLog:
    """A writer with what carries its lines further."""

    writer: Writer
    remote: Remote | None = None
    forwarder: Forwarder | None = None

    async def append(self, lane: str, lines: Sequence[bytes]) -> None:
        """Return when the lines are safe: on this disk, or with `CDP_LOG_ACK=broker` where the broker keeps them."""
        await self.writer.append(lane, lines)

    async def drain(self) -> None:
        """Take no more, make safe what waits, and ship what can be shipped now."""
        await self.writer.drain()
        self._close_rest()

    def close(self) -> None:
        self.writer.close()
        self._close_rest()

    def _close_rest(self) -> None:
        if self.forwarder:
            self.forwarder.close()
        if self.remote:
            self.remote.close()


def open_log(configuration: Configuration, limits: Limits | None = None) -> OpenLog:
    """Open the log for writing, as `CDP_LOG`, `CDP_LOG_ADDRESS`, `CDP_LOG_ACK` and `CDP_LOG_DAYS` say."""
    follower = SHIPPING if configuration.log_address else WAREHOUSE
    settled = replace(limits or Limits(), keep_days=configuration.log_days, followers=(follower,))
    if (remote := remote_of(configuration)) is None:
        return OpenLog(Writer(configuration.log, limits=settled))
    node = node_of(configuration)
    if configuration.log_ack == "broker":
        writer = Writer(
            configuration.log,
            limits=settled,
            node=node,
            lanes=lambda lane, next_segment: LaneStream(lane, remote, next_segment),
        )
        return OpenLog(writer, remote)
    writer = Writer(configuration.log, limits=settled, node=node)
    forwarder = Forwarder(configuration.log, remote)
    forwarder.start()
    return OpenLog(writer, remote, forwarder)


def remote_of(configuration: Configuration) -> Remote | None:
    """Return where the log goes past this machine. Raises BadConfiguration."""
    address = configuration.log_address
    if address and configuration.log_ack == "broker" and address.partition("://")[0] not in BROKERS:
        raise BadConfiguration(f"CDP_LOG_ACK=broker needs CDP_LOG_ADDRESS to be one of: {', '.join(BROKERS)}")
    return remote_at(address) if address else None


def log_reader(configuration: Configuration) -> Reads:
    """Open the log for reading: where it is shipped to, else on this machine."""
    if configuration.log_address:
        return remote_at(configuration.log_address).reader()
    return Reader(configuration.log)


def node_of(configuration: Configuration) -> str:
    """Begin the names of this machine's workers so that no other machine's are alike."""
    return re.sub(r"[^A-Za-z0-9_.]", "_", configuration.log_node or socket.gethostname()) + ".w"

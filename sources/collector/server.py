"""One worker: its socket, its log, its application, until it is told to stop; then it drains."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvicorn

from sources.collector.app import Collector
from sources.collector.deduplication import Memory
from sources.collector.metrics import Shared
from sources.collector.protocol import Connection, look_at
from sources.collector.senders import Senders
from sources.collector.settings import Settings, read_settings
from sources.collector.telling import listen_to_libraries, tell
from sources.collector.webhook import Hooks
from sources.configuration import Configuration
from sources.log.opening import OpenLog, open_log, remote_of
from sources.log.writer import Limits
from sources.refusals import BadConfiguration

TICK = 1.0  # seconds between two looks at what ages
GRACE = 30  # seconds that requests have to end
WAITING_BYTES = 32 * 1024 * 1024


def listening(host: str, port: int, *, is_shared: bool = True) -> socket.socket:
    """Bind a socket; a shared one other workers may bind too, and the kernel deals connections out among them.

    Raises BadConfiguration for an address that can't be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, is_shared)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as fault:
        bound.close()
        why = getattr(fault, "strerror", None) or "there is no such port"
        raise BadConfiguration(f"can't listen on {host}, port {port}: {why}; try another --host or --port") from None
    return bound


def look_over(configuration: Configuration, host: str, port: int) -> None:
    """Find what would stop a worker before one is started. Raises BadConfiguration, which says what to mend."""
    settings = read_settings(configuration.collector)
    Senders(settings)
    Hooks(settings)
    if remote := remote_of(configuration):
        remote.close()
    listening(host, port).close()


class Worker:
    """The application with its begin and its end."""

    def __init__(self, settings: Settings, log: OpenLog, memory: Memory, state: Path) -> None:
        self._log = log
        self._writer = log.writer
        self._shared = Shared(state / "metrics", log.writer.worker)
        self.collector = Collector(settings, log.writer, memory, log.writer.worker, self._shared)
        self._memory = memory
        self.connections: set[Any] = set()
        self._not_shipped = 0

    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        """Hand on; not a coroutine of its own, because that takes time with every request."""
        return self._live(receive, send) if scope["type"] == "lifespan" else self.collector(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        """Uvicorn asks for the shutdown after the last request was answered."""
        await receive()
        chores = asyncio.create_task(self._look_after())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        chores.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await chores
        await self._log.drain()
        self._memory.keep()
        tell("worker_stopped", worker=self._writer.worker, count=self._writer.counted.lines)
        await send({"type": "lifespan.shutdown.complete"})

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._memory.turn()
            await asyncio.to_thread(self._memory.keep)
            look_at(self.connections)
            self._measure()

    def _measure(self) -> None:
        """Read what others count, and leave all for whoever is asked."""
        collector, log = self.collector, self._writer.counted
        collector.metrics.gauges.update(
            in_flight_bytes=collector.in_flight.bytes,
            log_waiting_bytes=self._writer.waiting_bytes,
            log_commits_total=log.commits,
            log_lines_total=log.lines,
            log_bytes_total=log.bytes,
            log_refused_total=log.refused,
            log_sync_seconds_total=round(log.sync_seconds, 6),
            log_ship_failures_total=self._log.forwarder.failures if self._log.forwarder else 0,
            ids_bytes=self._memory.size,
        )
        self._shared.leave(collector.metrics.samples(collector.worker))
        self._tell_of_shipping()

    def _tell_of_shipping(self) -> None:
        """Whoever looks after it hears of each attempt that failed; nothing is lost meanwhile."""
        if (forwarder := self._log.forwarder) and forwarder.failures > self._not_shipped:
            self._not_shipped = forwarder.failures
            tell("log_not_shipped", error=forwarder.fault, count=forwarder.failures)


def run_worker(configuration: Configuration, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    listen_to_libraries()
    settings = read_settings(configuration.collector)
    bound = listening(host, port)
    state = configuration.home / "collector"
    memory = Memory(state / "ids", settings.limits.ids_a_day)
    log = open_log(configuration, Limits(waiting_bytes=WAITING_BYTES))
    worker = Worker(settings, log, memory, state)
    Connection.seconds = settings.limits.seconds
    server = uvicorn.Server(configured(worker))
    worker.connections = server.server_state.connections
    tell("worker_started", worker=log.writer.worker, pid=os.getpid(), host=host, port=bound.getsockname()[1])
    spare_the_collector()
    server.run(sockets=[bound])


def spare_the_collector() -> None:
    """Look for garbage less often: requests leave little that only the search finds; it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def configured(worker: Any) -> uvicorn.Config:
    """`worker` is the application, and knows its collector."""
    return uvicorn.Config(
        worker,
        http=Connection,
        interface="asgi3",
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=4096,
        timeout_keep_alive=75,  # longer than the usual load balancer's 60
        timeout_graceful_shutdown=GRACE,
    )

"""One run per sync: a lease with an epoch, so that a run that lost it can't write any more."""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from reverse_etl.contended import is_conflict
from reverse_etl.warehouse import Warehouse

SECONDS = 180

_living: set[str] = set()  # the leases of this process: tells a live one from a reused process id


class SyncBusy(RuntimeError):
    """Another run holds the sync's lease."""


class LeaseLost(RuntimeError):
    """Another run took over: this one must not write."""


@dataclass(frozen=True, slots=True)
class Lease:
    sync_name: str
    epoch: int

    def renew(self, warehouse: Warehouse) -> None:
        """Hold it longer; call it in the transaction of every write. Raises LeaseLost."""
        renewed = warehouse.execute(
            "update activation.leases set expires_at = ? where sync_name = ? and epoch = ? returning epoch",
            [_now() + timedelta(seconds=SECONDS), self.sync_name, self.epoch],
        )
        if not renewed:
            raise LeaseLost(f"{self.sync_name}: another run took over; this one stopped before writing")


@contextmanager
def lease(warehouse: Warehouse, sync_name: str, wait_seconds: float = 0) -> Iterator[Lease]:
    """Hold the sync's lease for the block; raises SyncBusy when it isn't free in time."""
    token = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    deadline = time.monotonic() + wait_seconds
    while (epoch := _try(warehouse, sync_name, token)) is None:
        if time.monotonic() >= deadline:
            holder = _holder(warehouse, sync_name)
            raise SyncBusy(f"{sync_name} is being run by {holder}: let it finish, or run again later")
        time.sleep(0.2)
    _living.add(token)
    try:
        yield Lease(sync_name, epoch)
    finally:
        _living.discard(token)
        warehouse.execute(
            "update activation.leases set holder = null where sync_name = ? and epoch = ?", [sync_name, epoch]
        )


def _try(warehouse: Warehouse, sync_name: str, token: str) -> int | None:
    """Take it; who is taking it at this very moment has it, which DuckDB says as a conflict."""
    try:
        return _take(warehouse, sync_name, token)
    except duckdb.TransactionException as fault:
        if not is_conflict(fault):
            raise
        return None


def _take(warehouse: Warehouse, sync_name: str, token: str) -> int | None:
    """Take it when it is free, expired, or its holder's process is gone: the new epoch, else None."""
    now = _now()
    # Epochs start from the clock: after the journal was lost, no operation id may repeat an old one.
    warehouse.execute(
        "insert into activation.leases (sync_name, epoch, expires_at) values (?, ?, ?) on conflict do nothing",
        [sync_name, int(time.time()), now],
    )
    seen, holder = warehouse.execute("select epoch, holder from activation.leases where sync_name = ?", [sync_name])[0]
    taken = warehouse.execute(
        """
        update activation.leases set epoch = epoch + 1, holder = ?, expires_at = ?
        where sync_name = ? and epoch = ? and (holder is null or expires_at < ? or ?)
        returning epoch
        """,
        [token, now + timedelta(seconds=SECONDS), sync_name, seen, now, _is_dead(holder)],
    )
    return int(taken[0][0]) if taken else None


def _holder(warehouse: Warehouse, sync_name: str) -> str:
    holder = warehouse.execute("select holder from activation.leases where sync_name = ?", [sync_name])[0][0]
    host, process, _ = (holder or "another:process:").split(":")
    return f"process {process} on {host}"


def _is_dead(holder: str | None) -> bool:
    """Whether the holder was a process of this machine that no longer runs."""
    if not holder or holder in _living:
        return False
    host, process, _ = holder.split(":")
    if host != socket.gethostname():
        return False
    if int(process) == os.getpid():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _now() -> datetime:
    # Real time even under CDP_NOW: a lease on a stopped clock would never expire.
    return datetime.now(UTC).replace(tzinfo=None)

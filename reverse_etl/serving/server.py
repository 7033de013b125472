"""`uvicorn` around the application: on loopback unless told otherwise, and without an access log."""

import logging
import socket
from datetime import timedelta
from pathlib import Path

import uvicorn

from reverse_etl.serving.app import ProfileApi
from reverse_etl.serving.keys import Keys
from reverse_etl.serving.store import SnapshotStore

BACKLOG = 2_048


class CannotListen(RuntimeError):
    """The address can't be had; the message says which and why."""


def bound(host: str, port: int) -> socket.socket:
    """Take the address, without answering yet. Raises CannotListen."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except (OSError, OverflowError) as fault:
        taken.close()
        why = getattr(fault, "strerror", None) or "there is no such port"
        raise CannotListen(f"can't listen on {host}, port {port}: {why}; try another --host or --port") from None
    return taken


def serve(snapshot: Path, keys: Path, at: socket.socket, *, longest_age: timedelta) -> None:
    """Serve a published snapshot at what `bound` gave, until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    api = ProfileApi(SnapshotStore(snapshot), Keys(keys), longest_age)
    # Addresses may hold identifiers: uvicorn's own access log would write them down.
    configuration = uvicorn.Config(
        api, access_log=False, log_level="warning", lifespan="on", backlog=BACKLOG,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    uvicorn.Server(configuration).run(sockets=[at])

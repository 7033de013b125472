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


def serve(snapshot: Path, keys: Path, at: socket.socket, *, longest_age: timedelta) -> None:
    """Serve a published snapshot at a socket that is bound, until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    api = ProfileApi(SnapshotStore(snapshot), Keys(keys), longest_age)
    # Addresses may hold identifiers: uvicorn's own access log would write them down.
    configuration = uvicorn.Config(
        api, access_log=False, log_level="warning", lifespan="on", backlog=BACKLOG,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    uvicorn.Server(configuration).run(sockets=[at])

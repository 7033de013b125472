"""What Dagster is told of the owner, without a run: one event every few seconds (47 ms each) while there is news."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

log = logging.getLogger(__name__)

KEY = dg.AssetKey(["ops", "live_loop"])
EVERY = 10.0  # seconds
SHOWN = ("paused", "lag_bytes", "cycles", "lines", "last_cycle_at", "last_cycle_seconds", "batch")


def metadata_of(status: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an owner's status that is worth a line in the catalog."""
    return {"running": True, **{name: status[name] for name in SHOWN if status[name] is not None}}


class Reporter:
    """A thread that tells Dagster; a Dagster that can't be told is no reason to stop."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        told: tuple[Any, ...] = ()
        try:
            with dg.DagsterInstance.get() as instance:
                while not self._stop.wait(EVERY):
                    found = self._status()
                    if (now := (found["lines"], found["paused"])) != told:
                        instance.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata=metadata_of(found)))
                        told = now
        except Exception as fault:  # noqa: BLE001 - see above
            log.warning("Dagster isn't told of the owner: %s", type(fault).__name__)

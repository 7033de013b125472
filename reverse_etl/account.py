"""What all syncs to one account share: its rate limit, and the memory that it doesn't answer or refuses us."""

import threading
import time
from dataclasses import dataclass

from reverse_etl.destination import Destination
from reverse_etl.environment import now
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

_TURN = threading.Lock()  # threads of one process may have a connection each


@dataclass
class Account:
    """A row of `activation.accounts`; made when there is something to remember."""

    warehouse: Warehouse
    name: str
    requests_per_second: float | None
    failures: int = 0  # batches in a row, over runs and syncs, that were not answered
    pause_reason: str = ""  # credentials or configuration were refused

    @property
    def is_probing(self) -> bool:
        """Whether one request decides if there is any point in more."""
        return self.failures > 0 or bool(self.pause_reason)

    def wait_seconds(self) -> float:
        """Take the next free moment of the account: how long until then."""
        if not self.requests_per_second:
            return 0.0
        interval, moment = 1 / self.requests_per_second, time.time()
        with _TURN:
            self._make()
            [(free_at,)] = self.warehouse.execute(
                "update activation.accounts set free_at = greatest(free_at, ?) + ? where account = ? returning free_at",
                [moment, interval, self.name],
            )
        return max(0.0, float(free_at) - interval - moment)

    def remember(self, failures: int, pause_reason: str) -> None:
        """Keep what the last request taught."""
        if (failures, pause_reason) == (self.failures, self.pause_reason):
            return
        self.failures, self.pause_reason = failures, pause_reason
        with _TURN:
            self._make()
            self.warehouse.execute(
                "update activation.accounts set failures = ?, pause_reason = ?, changed_at = ? where account = ?",
                [failures, pause_reason or None, now(), self.name],
            )

    def _make(self) -> None:
        self.warehouse.execute(
            "insert into activation.accounts (account, free_at, failures) values (?, 0, 0) on conflict do nothing",
            [self.name],
        )


def account_name(sync: Sync, destination: Destination | None) -> str:
    """Say whose limits and credentials a sync shares; all syncs to one destination, unless that says otherwise."""
    return str(getattr(destination, "account", "") or sync.destination)


def account_of(warehouse: Warehouse, sync: Sync, destination: Destination) -> Account:
    """Read what is remembered of the account a destination uses."""
    name = account_name(sync, destination)
    known = warehouse.execute("select failures, pause_reason from activation.accounts where account = ?", [name])
    failures, reason = known[0] if known else (0, None)
    return Account(warehouse, name, destination.spec.requests_per_second, int(failures), reason or "")

"""Where state, warehouse and inbox are, and what time it is: the only reader of `CDP_*` and `PG*`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sources.refusals import BadConfiguration

PROJECT = Path(__file__).resolve().parents[1]
TARGETS = ("duckdb", "postgres")


@dataclass(frozen=True)
class Configuration:
    """The environment of one run, read once and passed on."""

    home: Path
    warehouse: Path
    target: str
    inbox: str  # a folder, or any fsspec URL
    log: str  # a folder, or the address of what its segments are shipped to
    now: datetime | None  # naive UTC; None is the real time
    postgres: Mapping[str, str]

    @property
    def pipelines(self) -> Path:
        return self.home / "dlt"

    def place(self) -> str:
        """Where the warehouse is, for people; without the password."""
        if self.target == "duckdb":
            return str(self.warehouse)
        return "postgres {host}:{port}/{database}".format(**self.postgres)

    def clock(self) -> datetime:
        """Return the time of this load, naive UTC, to the microsecond."""
        return self.now or datetime.now(UTC).replace(tzinfo=None)


def read_configuration(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Read `CDP_HOME`, `CDP_WAREHOUSE`, `CDP_TARGET`, `CDP_INBOX`, `CDP_LOG`, `CDP_NOW` and `PG*`."""
    home = Path(environment.get("CDP_HOME") or PROJECT / ".cdp").expanduser().resolve()
    warehouse = Path(environment.get("CDP_WAREHOUSE") or home / "warehouse.duckdb").expanduser().resolve()
    target = environment.get("CDP_TARGET") or "duckdb"
    if target not in TARGETS:
        raise BadConfiguration(f"CDP_TARGET is {target!r}; set it to one of: {', '.join(TARGETS)}")
    return Configuration(
        home=home,
        warehouse=warehouse,
        target=target,
        inbox=environment.get("CDP_INBOX") or str(home / "inbox"),
        log=environment.get("CDP_LOG") or str(warehouse.parent / "log"),
        now=moment_of(environment.get("CDP_NOW")),
        postgres={
            "host": environment.get("PGHOST") or "127.0.0.1",
            "port": environment.get("PGPORT") or "5432",
            "username": environment.get("PGUSER") or "postgres",
            "password": environment.get("PGPASSWORD") or "",
            "database": environment.get("PGDATABASE") or "cdp",
        },
    )


def moment_of(text: str | None) -> datetime | None:
    """ISO text -> naive UTC; a moment without zone is UTC already."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadConfiguration(f"CDP_NOW is {text!r}; write it like 2026-11-23T09:00:00") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

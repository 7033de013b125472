"""Where state, warehouse and inbox are, and what time it is: the only reader of `CDP_*` and `PG*`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sources.refusals import BadConfiguration

PROJECT = Path(__file__).resolve().parents[1]
TARGETS = ("duckdb", "postgres")
ACKS = ("local", "broker")


@dataclass(frozen=True)
class Configuration:
    """The environment of one run, read once and passed on."""

    home: Path
    warehouse: Path
    target: str
    inbox: str  # a folder, or any fsspec URL
    log: Path  # what the collector wrote
    log_address: str | None  # what it is shipped to: nats://, kafka://, or an object store
    log_ack: str  # an event is safe once it is on this disk (local), or at the address (broker)
    log_node: str | None  # how this machine's part of a shared log is called; default: its host name
    log_days: float  # how long what was read is kept
    collector: Path  # its settings file
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
    """Read `CDP_HOME`, `CDP_WAREHOUSE`, `CDP_TARGET`, `CDP_INBOX`, `CDP_LOG*`, `CDP_COLLECTOR`, `CDP_NOW`, `PG*`."""
    home = Path(environment.get("CDP_HOME") or PROJECT / ".cdp").expanduser().resolve()
    warehouse = Path(environment.get("CDP_WAREHOUSE") or home / "warehouse.duckdb").expanduser().resolve()
    return Configuration(
        home=home,
        warehouse=warehouse,
        target=one_of(TARGETS, "CDP_TARGET", environment),
        inbox=environment.get("CDP_INBOX") or str(home / "inbox"),
        log_address=environment.get("CDP_LOG_ADDRESS") or None,
        log_ack=one_of(ACKS, "CDP_LOG_ACK", environment),
        log_node=environment.get("CDP_LOG_NODE") or None,
        log_days=number_of("CDP_LOG_DAYS", environment, 7.0),
        log=Path(environment.get("CDP_LOG") or warehouse.parent / "log").expanduser().resolve(),
        collector=Path(environment.get("CDP_COLLECTOR") or home / "collector.yml").expanduser().resolve(),
        now=moment_of(environment.get("CDP_NOW")),
        postgres={
            "host": environment.get("PGHOST") or "127.0.0.1",
            "port": environment.get("PGPORT") or "5432",
            "username": environment.get("PGUSER") or "postgres",
            "password": environment.get("PGPASSWORD") or "",
            "database": environment.get("PGDATABASE") or "cdp",
        },
    )


def one_of(known: Sequence[str], name: str, environment: Mapping[str, str]) -> str:
    """Return the value of a variable that may only be one of these; unset it is the first."""
    value = environment.get(name) or known[0]
    if value not in known:
        raise BadConfiguration(f"{name} is {value!r}; set it to one of: {', '.join(known)}")
    return value


def number_of(name: str, environment: Mapping[str, str], default: float) -> float:
    try:
        return float(environment.get(name) or default)
    except ValueError:
        raise BadConfiguration(f"{name} is {environment[name]!r}; write a number") from None


def moment_of(text: str | None) -> datetime | None:
    """ISO text -> naive UTC; a moment without zone is UTC already."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadConfiguration(f"CDP_NOW is {text!r}; write it like 2026-11-23T09:00:00") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

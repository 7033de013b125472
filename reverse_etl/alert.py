"""One notice when the state of a sync changes, and one when it is well again: counts and codes, never people.

CDP_ALERT_WEBHOOK gets JSON, CDP_ALERT_SLACK (an incoming webhook) a line, CDP_ALERT_EMAIL a mail through
CDP_ALERT_SMTP (host:port). Without any of them nothing is sent.
"""

import json
import logging
import os
import smtplib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import EmailMessage

import httpx

from reverse_etl.environment import now
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse

log = logging.getLogger(__name__)

SECONDS = 10
WELL = "well"
# What a run's state means to a person; `partial` heals by itself and becomes news only with rejected rows.
MEANING = {"succeeded": WELL, "held": "held", "blocked": "blocked", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told."""

    sync: str
    state: str
    was: str
    owner: str
    run_id: str
    reason: str
    planned: int
    failed: int
    unknown: int
    rejected: int

    @property
    def line(self) -> str:
        if self.state == WELL:
            return f"{self.sync} is well again (was {self.was}); run {self.run_id}"
        counts = f"{self.planned} planned, {self.failed} failed, {self.unknown} unanswered, {self.rejected} rejected"
        return f"{self.sync} is {self.state}: {self.reason or 'see its log'} ({counts}). {self.owner} must act."


_RUN = """
select state, reason, coalesce(planned_add + planned_change + planned_remove, 0),
    coalesce(failed_add + failed_change + failed_remove, 0), coalesce(unknown_count, 0), coalesce(rejected_count, 0)
from activation.sync_runs where run_id = ?
"""


def tell(warehouse: Warehouse, sync: Sync, run_id: str) -> Notice | None:
    """Send a notice when the run left the sync in another state than the last notice said."""
    try:
        notice = _news(warehouse, sync, run_id)
        if notice is None:
            return None
        # What couldn't be sent is tried again after the next run.
        if not [send(notice) for send in _ways()] or notice.was == notice.state:
            return None
        warehouse.execute("delete from activation.alerts where sync_name = ?", [sync.name])
        warehouse.execute("insert into activation.alerts values (?, ?, ?)", [sync.name, notice.state, now()])
    except (httpx.HTTPError, OSError, smtplib.SMTPException) as error:
        log.warning("the notice on %s was not delivered: %s", sync.name, type(error).__name__)
        return None
    return notice


def _news(warehouse: Warehouse, sync: Sync, run_id: str) -> Notice | None:
    found = warehouse.execute(_RUN, [run_id])
    if not found:
        return None
    state, reason, planned, failed, unknown, rejected = found[0]
    told = warehouse.execute("select state from activation.alerts where sync_name = ?", [sync.name])
    was = str(told[0][0]) if told else WELL
    meaning = MEANING.get(str(state), "rejecting" if rejected else WELL)
    if meaning == was:
        return None
    return Notice(
        sync.name, meaning, was, sync.owner, run_id, str(reason or ""),
        int(planned), int(failed), int(unknown), int(rejected),
    )  # fmt: skip


def _ways() -> list[Callable[[Notice], None]]:
    ways = {"CDP_ALERT_WEBHOOK": _webhook, "CDP_ALERT_SLACK": _slack, "CDP_ALERT_EMAIL": _mail}
    return [way for name, way in ways.items() if os.environ.get(name)]


def _webhook(notice: Notice) -> None:
    _post(os.environ["CDP_ALERT_WEBHOOK"], {**asdict(notice), "line": notice.line})


def _slack(notice: Notice) -> None:
    _post(os.environ["CDP_ALERT_SLACK"], {"text": notice.line})


def _post(address: str, document: dict[str, object]) -> None:
    body = json.dumps(document).encode()
    with httpx.Client(timeout=SECONDS, trust_env=False) as client:
        client.post(address, content=body, headers={"content-type": "application/json"}).raise_for_status()


def _mail(notice: Notice) -> None:
    host, _, port = os.environ.get("CDP_ALERT_SMTP", "localhost:25").partition(":")
    message = EmailMessage()
    message["To"] = os.environ["CDP_ALERT_EMAIL"]
    message["From"] = os.environ.get("CDP_ALERT_FROM", os.environ["CDP_ALERT_EMAIL"])
    message["Subject"] = f"{notice.sync}: {notice.state}"
    message.set_content(notice.line)
    with smtplib.SMTP(host, int(port or 25), timeout=SECONDS) as server:
        server.send_message(message)

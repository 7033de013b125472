"""Counters in Prometheus' text format. Each worker leaves its own beside the others': any of them can tell all."""

import bisect
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
FRESH = 15.0  # seconds; what an ended worker left is told no longer
Sample = tuple[str, dict[str, str], float]
HELP = {
    "cdp_collector_requests_total": ("counter", "Requests answered, by status."),
    "cdp_collector_events_total": ("counter", "Events and webhook rows, by source, outcome and reason."),
    "cdp_collector_request_seconds": ("histogram", "From the first byte of a body to the answer."),
    "cdp_collector_in_flight_bytes": ("gauge", "Bodies being read or written."),
    "cdp_collector_log_waiting_bytes": ("gauge", "Lines waiting for the disk."),
    "cdp_collector_log_commits_total": ("counter", "Group commits."),
    "cdp_collector_log_lines_total": ("counter", "Lines on disk."),
    "cdp_collector_log_bytes_total": ("counter", "Bytes on disk."),
    "cdp_collector_log_refused_total": ("counter", "Lines the log could not take."),
    "cdp_collector_log_sync_seconds_total": ("counter", "Time spent writing and syncing."),
    "cdp_collector_log_ship_failures_total": ("counter", "Attempts to ship segments past this machine that failed."),
    "cdp_collector_ids_bytes": ("gauge", "Tables of message ids."),
}


class Metrics:
    """What happened in this worker since it began."""

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[int] = Counter()
        self.gauges: dict[str, float] = {}
        self._times = [0] * (len(SECONDS) + 1)
        self._time = 0.0

    def took(self, source: str, counts: dict[str, int]) -> None:
        for outcome, count in counts.items():
            self.events[source, outcome] += count

    def answered(self, status: int, seconds: float) -> None:
        self.requests[status] += 1
        self._times[bisect.bisect_left(SECONDS, seconds)] += 1
        self._time += seconds

    def samples(self, worker: str) -> list[Sample]:
        """Return every value with its labels."""
        own = {"worker": worker}
        found: list[Sample] = [
            ("cdp_collector_requests_total", {**own, "status": str(status)}, count)
            for status, count in self.requests.items()
        ]
        for (source, outcome), count in self.events.items():
            kind, _, reason = outcome.partition(":")
            labels = {**own, "source": source, "outcome": kind, "reason": reason}
            found.append(("cdp_collector_events_total", labels, count))
        found.extend((f"cdp_collector_{name}", own, value) for name, value in self.gauges.items())
        return [*found, *self._histogram(own)]

    def _histogram(self, own: dict[str, str]) -> Iterable[Sample]:
        name, total = "cdp_collector_request_seconds", 0
        for bound, count in zip((*SECONDS, "+Inf"), self._times, strict=True):
            total += count
            yield f"{name}_bucket", {**own, "le": str(bound)}, total
        yield f"{name}_sum", own, self._time
        yield f"{name}_count", own, total


class Shared:
    """The folder where workers leave their samples."""

    def __init__(self, folder: Path, worker: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{worker}.json"
        self.worker = worker

    def leave(self, samples: list[Sample]) -> None:
        new = self._file.with_suffix(".new")
        with suppress(OSError):  # a full disk: the events matter more
            new.write_text(json.dumps(samples))
            new.replace(self._file)

    def everyone(self, own: list[Sample]) -> list[Sample]:
        """Return our own as they are now, and the others' of a moment ago."""
        found = list(own)
        for file in sorted(self._file.parent.glob("*.json")):
            with suppress(OSError, ValueError):
                if file != self._file and time.time() - file.stat().st_mtime < FRESH:
                    found.extend((name, labels, value) for name, labels, value in json.loads(file.read_text()))
        return found


def text(samples: Iterable[Sample]) -> bytes:
    """Return them in the text format, one family after the other."""
    families: defaultdict[str, list[str]] = defaultdict(list)
    for name, labels, value in samples:
        family = next((known for known in HELP if name == known or name.startswith(f"{known}_")), name)
        told = ",".join(f'{key}="{escaped(label)}"' for key, label in labels.items())
        families[family].append(f"{name}{{{told}}} {value}")
    lines = []
    for family, rows in families.items():
        kind, meaning = HELP.get(family, ("untyped", ""))
        lines += [f"# HELP {family} {meaning}", f"# TYPE {family} {kind}", *rows]
    return ("\n".join(lines) + "\n").encode()


def escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

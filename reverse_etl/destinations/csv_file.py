"""Two files in a folder: `members.csv`, who is in the audience now, and `changes.csv`, how it came so.

Both are readable by their owner only. Members are replaced as a whole file, so a reader never sees half;
changes are appended once per operation id. Nobody but the sync may write them.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reverse_etl.destination import (
    Change,
    DestinationRefused,
    Outcome,
    Receipt,
    Request,
    Response,
    Spec,
    Transport,
)
from reverse_etl.environment import home, now
from reverse_etl.sync import Sync

KEY, ID = "_member_id", "operation_id"


class Destination:
    """Options: `folder` (default `$CDP_HOME/exports/<sync>`). Members are found by the sync's key."""

    spec = Spec(batch_rows=50_000, batch_bytes=100_000_000, honours_operation_ids=True)

    def __init__(self, sync: Sync) -> None:
        self._folder = Path(sync.options.get("folder") or home() / "exports" / sync.name)
        self._columns = [KEY, *sync.fields.values()]

    def request(self, rows: Sequence[Change]) -> Request:
        body = [
            {ID: r.operation_id, "operation": r.operation, KEY: r.member_id, "fields": dict(r.fields)} for r in rows
        ]
        return Request(str(self._folder), json.dumps(body).encode(), method="APPEND")

    def outcomes(self, rows: Sequence[Change], response: Response) -> Sequence[Receipt]:
        return [Receipt(row, Outcome.DELIVERED) for row in rows if response.status == 200]  # noqa: PLR2004

    @contextmanager
    def connect(self) -> Iterator[Transport]:
        members_file, changes_file = self._folder / "members.csv", self._folder / "changes.csv"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            members = {row[KEY]: row for row in _read(members_file)}
            _drop_torn_line(changes_file)
            logged = {row[ID] for row in _read(changes_file)}
        except OSError as error:
            raise DestinationRefused(f"{self._folder} can't be used: {error.strerror}") from error

        def send(request: Request) -> Response:
            new = [row for row in json.loads(request.body) if row[ID] not in logged]
            for row in new:
                members.pop(row[KEY], None)
                if row["operation"] != "remove":
                    members[row[KEY]] = {KEY: row[KEY], **row["fields"]}
            _replace(members_file, self._columns, members.values())
            _append(changes_file, new)
            logged.update(row[ID] for row in new)
            return Response(200)

        yield send


def _read(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _replace(file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write beside and rename, so that the file is always one whole version."""
    beside = file.with_suffix(".part")
    with open(beside, "w", newline="", encoding="utf-8", opener=_private) as lines:
        writer = csv.DictWriter(lines, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        lines.flush()
        os.fsync(lines.fileno())
    beside.replace(file)


def _append(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    is_new = not file.exists() or not file.stat().st_size
    at = now().isoformat(timespec="seconds") + "Z"
    with open(file, "a", newline="", encoding="utf-8", opener=_private) as lines:
        writer = csv.writer(lines)
        if is_new:
            writer.writerow([ID, "operation", KEY, "changed_at"])
        writer.writerows([row[ID], row["operation"], row[KEY], at] for row in rows)
        lines.flush()
        os.fsync(lines.fileno())


def _drop_torn_line(file: Path) -> None:
    """Cut off the half line a crash may have left at the end; its operation will come again."""
    if file.exists() and (content := file.read_bytes()) and not content.endswith(b"\n"):
        os.truncate(file, content.rfind(b"\n") + 1)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)

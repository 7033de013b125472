"""Who reads the log under a name, how far they are, and what may be deleted because all of them have read it."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from sources.log.reader import Position
from sources.log.repair import lanes_of
from sources.log.segment import Segment, parsed, segments_among

FOLDER = ".followers"
DAY = 86_400.0


class Followers:
    """The positions of named readers, one file each beside the lanes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def positions(self, name: str) -> dict[str, Position]:
        """Return how far this follower is, per lane; one that never said anything has read nothing."""
        try:
            found: dict[str, Position] = json.loads((self.folder / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def say(self, name: str, lane: str, position: Position) -> None:
        """Keep that this follower has read, and will never need again, what is before the position."""
        positions = self.positions(name)
        if positions.get(lane) != position:
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile("w", dir=self.folder, delete=False) as file:
                json.dump({**positions, lane: position}, file)
            os.replace(file.name, self.folder / f"{name}.json")  # noqa: PTH105 - as one step


def delete_read(root: Path, keep_days: float, expected: Sequence[str] = (), now: float | None = None) -> list[str]:
    """Delete sealed segments older than this that every follower has read, those `expected` to follow included.

    A worker's newest segment of a lane stays: after a restart its name says which names were used.
    Without any follower nothing is deleted.
    """
    followers = Followers(root)
    positions = [followers.positions(name) for name in {*followers.names(), *expected}]
    before = (time.time() if now is None else now) - keep_days * DAY
    deleted = []
    for lane in lanes_of(root) if positions else []:
        read = [position.get(lane, {}) for position in positions]
        for path in old_segments(root / lane, before):
            found = parsed(path.name)
            if found and all(is_read(found[0], position.get(found[0].worker)) for position in read):
                path.unlink(missing_ok=True)
                deleted.append(f"{lane}/{path.name}")
    return deleted


def old_segments(folder: Path, before: float) -> list[Path]:
    """Return sealed segments last written before this moment, without each worker's newest."""
    segments = segments_among(path.name for path in folder.iterdir())
    newest = {segment.worker: segment for segment in segments}
    paths = [
        segment.sealed_path(folder)
        for segment, is_sealed in segments.items()
        if is_sealed and segment != newest[segment.worker]
    ]
    return [path for path in paths if path.exists() and path.stat().st_mtime < before]


def is_read(segment: Segment, place: list[Any] | None) -> bool:
    """Whether a follower at this place is past the segment; in it doesn't count, it may stand before its end."""
    at = parsed(place[0]) if place else None
    return at is not None and at[0] > segment

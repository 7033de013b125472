"""A lane that a broker keeps instead of this machine's disk: what was put is acknowledged, nothing is left here."""

from collections.abc import Callable, Sequence

from sources.log.remotes import Remote
from sources.log.segment import Segment


class LaneStream:
    """Appends to one lane of a remote, as LaneFile appends to files."""

    def __init__(self, lane: str, remote: Remote, next_segment: Callable[[], Segment]) -> None:
        self._lane = lane
        self._remote = remote
        self._next = next_segment
        self._segment: Segment | None = None
        self.size = 0

    def append(self, pieces: Sequence[bytes]) -> None:
        """Return when the broker has it. After a failure a new segment begins: whether it arrived isn't known."""
        if self._segment is None:
            self._segment, self.size = self._next(), 0
        segment, self._segment = self._segment, None
        data = b"".join(pieces)
        self._remote.put(self._lane, segment.stem, self.size, data)
        self._segment = segment
        self.size += len(data)

    @property
    def since(self) -> float | None:
        """Say that nothing is ever due."""
        return None

    def seal(self) -> None:
        self._segment = None

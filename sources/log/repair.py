"""What a worker left behind when it died: its last segment loses the torn end and is sealed."""

from contextlib import suppress
from pathlib import Path

from sources.log.disk import Disk
from sources.log.segment import Segment, checked_lane, segments_among, whole_lines
from sources.log.slot import Slot, claimed

CHUNK = 1 << 20


def lanes_of(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def repair(root: Path, own: Slot, disk: Disk) -> int:
    """Seal what nobody writes any more, and return the newest epoch this worker ever used (0: none)."""
    slots = {own.worker: own}
    newest = 0
    for lane in lanes_of(root):
        folder = root / checked_lane(lane)
        for segment, is_sealed in segments_among(path.name for path in folder.iterdir()).items():
            newest = max(newest, segment.epoch if segment.worker == own.worker else 0)
            if is_sealed:
                continue
            if segment.worker not in slots and (slot := claimed(root, segment.worker)):
                slots[segment.worker] = slot
            if segment.worker in slots:
                seal(folder, segment, disk)
    for worker, slot in slots.items():
        if worker != own.worker:
            slot.release()
    return newest


def seal(folder: Path, segment: Segment, disk: Disk) -> None:
    """Cut the segment to its whole lines. One that is gone was sealed by its worker in the meantime.

    A disk that fails stops no start: readers leave a torn end out themselves, and a later start tries again.
    """
    path = segment.open_path(folder)
    with suppress(OSError), path.open("r+b") as file:
        disk.truncate(file.fileno(), good_size(path))
        disk.sync(file.fileno())
        disk.rename(path, segment.sealed_path(folder))


def good_size(path: Path) -> int:
    """Return where the last whole line ends; read in pieces, a segment may be 64 MB."""
    good = at = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if end := len(whole_lines(chunk)):
                good = at + end
            if b"\0" in chunk:
                break
            at += len(chunk)
    return good

"""An object store: sealed segments as objects of the same name, below any address that fsspec knows."""

import time
from contextlib import suppress

from dlt.common.configuration import resolve_configuration
from dlt.common.storages.configuration import FilesystemConfiguration
from dlt.common.storages.fsspec_filesystem import fsspec_from_config

from sources.log.files import Workers, by_worker
from sources.log.reader import Reader, Reads
from sources.log.refusals import LogFailed
from sources.log.segment import SEALED, Segment, checked_lane

FRESH = 1.0  # seconds that a listing counts; a load reads many pages of one


class Objects:
    """The folder `<address>`, with one of its own for each lane. Credentials are those of dlt's section `[log]`."""

    takes_open_segments = False

    def __init__(self, address: str) -> None:
        settings = resolve_configuration(FilesystemConfiguration(bucket_url=address), sections=("log",))
        self.client, _ = fsspec_from_config(settings)
        self.root = self.client._strip_protocol(settings.bucket_url).rstrip("/")  # noqa: SLF001 - fsspec's way
        self._listings: dict[str, tuple[float, dict[str, int]]] = {}

    def put(self, lane: str, segment: str, offset: int, data: bytes) -> None:
        if offset:
            raise LogFailed("an object is put as a whole")
        try:
            self.client.makedirs(f"{self.root}/{lane}", exist_ok=True)
            self.client.pipe_file(f"{self.root}/{lane}/{segment}{SEALED}", data)
        except Exception as fault:  # noqa: BLE001 - each store has errors of its own
            raise LogFailed(f"the object store did not take a segment: {type(fault).__name__}") from None

    def reader(self) -> Reads:
        return Reader(self)

    def close(self) -> None:
        self._listings.clear()

    def lanes(self) -> list[str]:
        self.client.invalidate_cache()
        with suppress(FileNotFoundError):
            return sorted(name.rstrip("/").rpartition("/")[2] for name in self.client.ls(self.root, detail=False))
        return []

    def workers(self, lane: str) -> Workers:
        return by_worker(self._sizes(lane, FRESH))

    def size(self, lane: str, segment: Segment) -> int:
        return self._sizes(lane, float("inf")).get(f"{segment.stem}{SEALED}", 0)

    def read(self, lane: str, segment: Segment, offset: int, size: int) -> bytes:
        with suppress(FileNotFoundError):
            end = min(offset + size, self.size(lane, segment))
            found: bytes = self.client.cat_file(f"{self.root}/{lane}/{segment.stem}{SEALED}", start=offset, end=end)
            return found if offset < end else b""
        return b""

    def _sizes(self, lane: str, fresh: float) -> dict[str, int]:
        """Return the objects of a lane with their sizes, as listed not longer ago than that."""
        listed, sizes = self._listings.get(checked_lane(lane), (float("-inf"), {}))
        if time.monotonic() - listed <= fresh and (listed, sizes) != (float("-inf"), {}):
            return sizes
        self.client.invalidate_cache()
        sizes = {}
        with suppress(FileNotFoundError):
            for facts in self.client.ls(f"{self.root}/{lane}", detail=True):
                sizes[facts["name"].rpartition("/")[2]] = int(facts["size"] or 0)
        self._listings[lane] = (time.monotonic(), sizes)
        return sizes


REMOTE = Objects

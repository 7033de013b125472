"""Folders of files, here or far away, in which a file is always one whole version or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import fsspec

from reverse_etl.destination import DestinationRefused
from reverse_etl.environment import home

WRITING = ".writing-"  # folders of files that are not whole yet
# A file appears in these when it is complete; elsewhere it is written beside and renamed.
WHOLE_AT_ONCE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"}


class FileStore(Protocol):
    """Names have slashes and are relative to the folder. Methods raise OSError."""

    def workspace(self) -> AbstractContextManager[Path]:
        """Make a private local folder to write files in, gone afterwards."""
        ...

    def names(self) -> list[str]:
        """All files there are, in order."""
        ...

    def fetch(self, name: str, workspace: Path) -> Path | None:
        """Give a local copy, or None when there is no such file."""
        ...

    def put(self, file: Path, name: str) -> None:
        """Make the local file the file of that name, whole or not at all; the local one is used up."""
        ...

    def drop(self, name: str) -> None: ...


class LocalFolder:
    """A folder of this machine that only its owner can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _private(folder)
        for left_behind in folder.glob(f"{WRITING}*"):
            shutil.rmtree(left_behind)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        # In the same file system, so that a rename is one step.
        with tempfile.TemporaryDirectory(prefix=WRITING, dir=self._folder) as made:
            yield Path(made)

    def names(self) -> list[str]:
        files = (file for file in self._folder.rglob("*") if file.is_file())
        return sorted(file.relative_to(self._folder).as_posix() for file in files)

    def fetch(self, name: str, _: Path) -> Path | None:
        file = self._folder / name
        return file if file.exists() else None

    def put(self, file: Path, name: str) -> None:
        target = self._folder / name
        _private(target.parent)
        file.chmod(0o600)
        _to_disk(file)
        file.replace(target)
        _to_disk(target.parent)

    def drop(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)


class RemoteFolder:
    """A folder of any file system fsspec knows; who may read it is the bucket's policy."""

    def __init__(self, address: str) -> None:
        # Credentials and endpoints are the environment's: AWS_*, FSSPEC_<PROTOCOL>_*, GOOGLE_*.
        self._system: Any
        self._system, self._root = fsspec.core.url_to_fs(address)
        self._root = self._root.rstrip("/")
        said = self._system.protocol
        self._is_whole_at_once = bool(WHOLE_AT_ONCE & ({said} if isinstance(said, str) else set(said)))

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as made:
            yield Path(made)

    def names(self) -> list[str]:
        start = len(self._root) + 1
        with _os_errors():
            self._system.invalidate_cache()
            return sorted(path[start:] for path in self._system.find(self._root))

    def fetch(self, name: str, workspace: Path) -> Path | None:
        copy = workspace / f"copy-{name.replace('/', '-')}"
        try:
            with _os_errors():
                self._system.get_file(self._path(name), str(copy))
        except FileNotFoundError:
            return None
        return copy

    def put(self, file: Path, name: str) -> None:
        path = self._path(name)
        with _os_errors():
            if self._is_whole_at_once:
                self._system.put_file(str(file), path)
                return
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._system.put_file(str(file), f"{path}.part")
            self._system.mv(f"{path}.part", path)

    def drop(self, name: str) -> None:
        with _os_errors():
            self._system.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def open_folder(address: str) -> FileStore:
    """Open a folder below CDP_HOME (or of its own, when absolute), or an address of fsspec such as s3://bucket/folder.

    Never below the working folder: that is another one in Dagster, and none that Git ignores.
    """
    address = address.removeprefix("file://")
    if "://" not in address:
        return LocalFolder(home() / address)
    try:
        return RemoteFolder(address)
    except (ImportError, ValueError) as error:
        protocol = address.partition("://")[0]
        raise DestinationRefused(f"{protocol}:// needs a file system of fsspec that isn't installed") from error


def _private(folder: Path) -> None:
    """Make a folder, and those above it, for their owner only; what is there stays as it is."""
    for one in (*reversed(folder.parents), folder):
        one.mkdir(exist_ok=True, mode=0o700)


@contextmanager
def _os_errors() -> Iterator[None]:
    """Raise as OSError what the libraries of object stores raise as their own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        name = type(error).__name__
        raise (PermissionError if "Credential" in name else OSError)(name) from error


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

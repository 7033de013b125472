"""Files dropped in `<inbox>/<connector>/<table>/`, on this machine or behind any fsspec address.

A file is loaded when its path is unknown or its size, tag or time differ from what was loaded. Its
place in time plays no part, so a file that arrives late is loaded like any other.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration import resolve_configuration
from dlt.common.storages.configuration import FilesystemConfiguration
from dlt.common.storages.fsspec_filesystem import fsspec_from_config

from sources.configuration import Configuration
from sources.conform import hints
from sources.landing import Landing
from sources.reading import format_of
from sources.source import Source, Table

TAGS = ("ETag", "etag", "md5Hash")
TIMES = ("mtime", "LastModified", "last_modified", "updated", "modifiedTime", "created")


@dataclass(frozen=True)
class InboxFile:
    """A file as listed. `name` is its path in the inbox, `stamp` changes when its content does."""

    name: str
    address: str
    stamp: str


@dataclass(frozen=True)
class Folder:
    """The inbox of one source."""

    source: Source
    configuration: Configuration

    def is_idle(self, tables: Sequence[Table], state: Mapping[str, Any]) -> bool:
        return not any(self.new_files(table, state) for table in tables)

    def resource(self, table: Table, landing: Landing, state: Mapping[str, Any]) -> Any:
        files = self.new_files(table, state)
        return dlt.resource(
            self.read(table, landing, files),
            name=self.source.raw_name(table),
            columns=hints(table),
            write_disposition="append",
        )

    def read(self, table: Table, landing: Landing, files: Sequence[InboxFile]) -> Iterator[pa.Table]:
        """Yield the rows of each file in turn; a file is remembered in the same commit as its rows."""
        remembered = dlt.current.resource_state().setdefault("files", {})
        for file in files:
            _, version = remembered.get(file.name, (None, 0))
            with TemporaryDirectory() as folder:
                yield from landing.file(table, self.local(file, folder), file.name, version + 1)
            remembered[file.name] = [file.stamp, version + 1]

    def new_files(self, table: Table, state: Mapping[str, Any]) -> list[InboxFile]:
        """Files whose path or stamp the state doesn't know, by path."""
        known = state.get(self.source.raw_name(table), {}).get("files", {})
        return [
            file for file in self.files if self.belongs(file, table) and known.get(file.name, [""])[0] != file.stamp
        ]

    def belongs(self, file: InboxFile, table: Table) -> bool:
        return file.name.startswith(f"{self.source.name}/{table.name}/") and format_of(file.name) is not None

    def local(self, file: InboxFile, folder: str) -> Path:
        """Return the file on this machine: itself, or a copy in `folder`."""
        if self.is_local:
            return Path(file.address)
        path = Path(folder) / posixpath.basename(file.name)
        self.connection[0].get_file(file.address, str(path))
        return path

    @cached_property
    def connection(self) -> tuple[Any, str]:
        """The fsspec client, signed in by dlt's configuration, and the inbox's path in it."""
        url = dlt.config.get(f"sources.{self.source.name}.bucket_url", str) or self.configuration.inbox
        settings = resolve_configuration(
            FilesystemConfiguration(bucket_url=url), sections=("sources", self.source.name)
        )
        client, _ = fsspec_from_config(settings)
        return client, client._strip_protocol(settings.bucket_url).rstrip("/")  # noqa: SLF001 - fsspec's way

    @cached_property
    def is_local(self) -> bool:
        protocol = self.connection[0].protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    @cached_property
    def files(self) -> list[InboxFile]:
        """Everything below the source's folder, by path; hidden and half-written (`.x`, `_x`) files aside."""
        client, root = self.connection
        client.invalidate_cache()
        listed = client.find(f"{root}/{self.source.name}", detail=True)
        return [
            InboxFile(posixpath.relpath(path, root), path, stamp_of(facts))
            for path, facts in sorted(listed.items())
            if not posixpath.basename(path).startswith((".", "_"))
        ]


def stamp_of(facts: Mapping[str, Any]) -> str:
    """Size and tag (or else time) as the store lists them: differs when the content does."""
    tag = next((facts[key] for key in (*TAGS, *TIMES) if facts.get(key)), "")
    return f"{facts.get('size')}:{tag}"


ORIGIN = Folder

"""Disks that fail when told to."""

import errno
import os

from sources.log.disk import Disk


class FailingDisk(Disk):
    """Fails the next call of a kind: a write after some bytes, a sync, the creation of a file."""

    def __init__(self):
        self.write_stops_after = None
        self.sync_fails = False
        self.create_fails = False
        self.free_bytes = 1 << 40
        self.synced = []

    def write(self, descriptor, data):
        if self.write_stops_after is None:
            return super().write(descriptor, data)
        written = super().write(descriptor, data[: self.write_stops_after]) if self.write_stops_after else 0
        if written:
            self.write_stops_after = 0
            return written
        self.write_stops_after = None
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, descriptor):
        if self.sync_fails:
            self.sync_fails = False
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.synced.append(descriptor)
        super().sync(descriptor)

    def create(self, path):
        if self.create_fails:
            self.create_fails = False
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().create(path)

    def free(self, _path):
        return self.free_bytes, 1 << 41

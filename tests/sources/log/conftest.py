"""What tests of the log start from."""

import pytest
from disks import FailingDisk

from sources.log.writer import Limits, Writer


@pytest.fixture
def disk():
    return FailingDisk()


@pytest.fixture
def begin(tmp_path, disk):
    """Start writers on one folder, and end them with the test."""
    writers = []

    def begun(worker="w0", **limits):
        writers.append(Writer(tmp_path, worker, Limits(**limits), disk))
        return writers[-1]

    yield begun
    for writer in writers:
        writer.close()

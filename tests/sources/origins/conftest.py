"""What tests of origins start from."""

import pytest

from sources.log.writer import Limits, Writer


@pytest.fixture
def log(town):
    writer = Writer(town.home / "log", "w0", Limits(segment_bytes=2000))
    yield writer
    writer.close()

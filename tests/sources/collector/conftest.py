"""What tests of the collector start from."""

import pytest
from door import Door


@pytest.fixture(params=["ASGI", "bytes"])
def way(request):
    """The application alone, and the short way that most requests go; both say the same."""
    return request.param


@pytest.fixture
def door(tmp_path, way):
    opened = Door(tmp_path, way=way)
    yield opened
    opened.log.close()


@pytest.fixture
def door_of(tmp_path, way):
    """Make a door with other settings."""
    made = []

    def make(settings, **given):
        made.append(Door(tmp_path, settings, way=way, **given))
        return made[-1]

    yield make
    for opened in made:
        opened.log.close()

"""What tests of the collector start from."""

import pytest
from door import Door


@pytest.fixture
def door(tmp_path):
    opened = Door(tmp_path)
    yield opened
    opened.log.close()


@pytest.fixture
def door_of(tmp_path):
    """Make a door with other settings."""
    made = []

    def make(settings, **given):
        made.append(Door(tmp_path, settings, **given))
        return made[-1]

    yield make
    for opened in made:
        opened.log.close()

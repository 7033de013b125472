"""The town whose profiles are served."""

import pytest
from profile_town import profile_town


@pytest.fixture
def town(warehouse):
    return profile_town(warehouse)

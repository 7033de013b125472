"""The town whose people go to the checkout."""

import pytest
from trigger_town import TriggerTown


@pytest.fixture
def town(warehouse):
    return TriggerTown(warehouse)

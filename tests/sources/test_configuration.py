from datetime import datetime

import pytest

from sources.configuration import PROJECT, read_configuration
from sources.refusals import BadConfiguration


def test_without_any_variable_everything_is_in_the_project():
    configuration = read_configuration({})
    assert configuration.home == PROJECT / ".cdp"
    assert configuration.warehouse == PROJECT / ".cdp" / "warehouse.duckdb"
    assert configuration.inbox == str(PROJECT / ".cdp" / "inbox")
    assert configuration.target == "duckdb"


def test_the_clock_is_utc_and_can_be_set():
    assert read_configuration({"CDP_NOW": "2017-05-01T10:00:00+02:00"}).clock() == datetime(2017, 5, 1, 8)  # noqa: DTZ001
    assert read_configuration({"CDP_NOW": "2017-05-01T10:00:00"}).clock() == datetime(2017, 5, 1, 10)  # noqa: DTZ001
    assert read_configuration({}).clock().tzinfo is None


@pytest.mark.parametrize("wrong", [{"CDP_TARGET": "oracle"}, {"CDP_NOW": "yesterday"}])
def test_a_wrong_setting_is_refused_by_its_name(wrong):
    with pytest.raises(BadConfiguration, match=next(iter(wrong))):
        read_configuration(wrong)


def test_the_place_of_a_server_is_said_without_its_password():
    place = read_configuration({"CDP_TARGET": "postgres", "PGPASSWORD": "hush"}).place()
    assert place == "postgres 127.0.0.1:5432/cdp"

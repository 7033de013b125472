"""What is in the way of a sync is said once, not in every cycle, and again once it had gone."""

from __future__ import annotations

import logging

from dagster_cdp.live.sending import Dispatcher
from reverse_etl.lease import SyncBusy


def test_what_is_in_the_way_is_said_when_it_changes(caplog):
    dispatcher = Dispatcher([], [])

    def held(why):
        def send():
            raise SyncBusy(why)

        return send

    def broken():
        raise ValueError("ann@example.com")

    with caplog.at_level(logging.WARNING):
        for send in (held("a guard"), held("a guard"), held("a gate"), lambda: None, held("a gate"), broken, broken):
            dispatcher._guarded("vip", send)
    assert [record.getMessage() for record in caplog.records] == [
        "vip: a guard", "vip: a gate", "vip: a gate", "vip: ValueError",
    ]  # fmt: skip

"""The one sensor that lets new data flow down by itself, on from the start."""

import dagster as dg


@dg.definitions
def automation() -> dg.Definitions:
    sensor = dg.AutomationConditionSensorDefinition(
        name="the_line",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=10,
        description="Requests what has become stale: sources by their clock, everything below by what is new.",
    )
    return dg.Definitions(sensors=[sensor])

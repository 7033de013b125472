"""The owner of the warehouse as an asset: it reports itself here while it runs; running the asset steers it."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from dagster_cdp.live.reporting import KEY, metadata_of
from dagster_cdp.warehouse import ask_owner, is_owned
from sources.configuration import read_configuration

ACTIONS = ("look", "pause", "resume", "snapshot")


@dg.asset(
    key=KEY,
    group_name="ops",
    kinds={"duckdb"},
    description="The process that keeps the hot models within seconds of the log (`cdp live`), and how far behind it "
    "is. It reports itself. Run it to look; with the config `action: pause`, `resume` or `snapshot` to steer.",
    config_schema={
        "action": dg.Field(dg.Enum("Action", [dg.EnumValue(name) for name in ACTIONS]), default_value="look")
    },
)
def live_loop(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    """Do what the config says, then say how it stands; without an owner there is nothing to steer."""
    if not is_owned(read_configuration()):
        return dg.MaterializeResult(metadata={"running": False})
    action = context.op_execution_context.op_config["action"]
    if action != "look":
        ask_owner(action)
    found: Mapping[str, Any] = ask_owner("status")
    return dg.MaterializeResult(metadata=metadata_of(found))


@dg.definitions
def live() -> dg.Definitions:
    return dg.Definitions(assets=[live_loop])

"""raw → audiences: one step per dbt stage, so that a gate can stand between two stages."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from dagster_cdp import dbt
from dagster_cdp.build import build as build_stage
from dagster_cdp.gates import refuse_held
from dagster_cdp.warehouse import turn


def stage_assets(stage: str) -> dg.AssetsDefinition:
    """Every model of `models/<stage>`, with its dbt tests as asset checks."""
    seeds = " path:seeds" if stage == dbt.STAGES[0] else ""
    decorate: Callable[..., dg.AssetsDefinition] = dbt_assets(
        manifest=dbt.project().manifest_path,
        select=f"path:models/{stage}{seeds}",
        name=stage,
        project=dbt.project(),
        dagster_dbt_translator=dbt.translator(),
    )

    def build(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with turn(f"dbt {stage}"):
            if stage == dbt.STAGES[0]:
                refuse_held("raw")
            yield from build_stage(context)

    return decorate(build)


@dg.definitions
def transformation() -> dg.Definitions:
    return dg.Definitions(assets=[stage_assets(stage) for stage in dbt.STAGES])

"""The code location: every file in `defs/`, merged by the folder, run in one process.

One process because DuckDB lets one process write, and because a process per step would import
dbt, dlt and Great Expectations again for each (7-10 CPU seconds).
"""

from pathlib import Path

import dagster as dg


@dg.definitions
def definitions() -> dg.Definitions:
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__)),
        dg.Definitions(executor=dg.in_process_executor),
    )
